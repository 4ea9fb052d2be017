"""Named arrays that lie in one buffer, as a step of an optimiser leaves them behind."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from itertools import accumulate
from math import prod
from typing import Any

from armlab.arrays import Array

State = Mapping[str, Array]
Shapes = Mapping[str, tuple[int, ...]]


class Packed(Mapping[str, Array]):
    """Arrays behind each other in a flat buffer, in the order of `shapes`.

    block  each begins at a multiple of so many numbers
    """

    def __init__(self, shapes: Shapes, buffer: Array, block: int = 1) -> None:
        self.shapes, self.buffer, self.block = shapes, buffer, block

    @cached_property
    def views(self) -> dict[str, Array]:
        sizes = [prod(shape) for shape in self.shapes.values()]
        starts = (at * self.block for at in blocks(sizes, self.block))
        return {
            key: self.buffer[start : start + size].reshape(shape)
            for (key, shape), size, start in zip(self.shapes.items(), sizes, starts, strict=False)
        }

    def __getitem__(self, key: str) -> Array:
        return self.views[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.shapes)

    def __len__(self) -> int:
        return len(self.shapes)


def blocks(sizes: Iterable[int], block: int) -> list[int]:
    """The block at which each array begins, and behind them how many there are."""
    return list(accumulate((-(-size // block) for size in sizes), initial=0))


def shapes_of(arrays: State) -> Shapes:
    if isinstance(arrays, Packed):
        return arrays.shapes
    return {key: tuple(a.shape) for key, a in arrays.items()}


def fits(like: Array, weights: State, grads: State, *states: State) -> bool:
    """Arrays of one dtype, and states of just these, or none yet."""
    shapes = shapes_of(weights)
    others: list[Any] = [grads, *filter(None, states)]
    return all(shapes_of(arrays) == shapes for arrays in others) and all(
        a.dtype == like.dtype
        for arrays in (weights, *others)
        for a in ([arrays.buffer] if isinstance(arrays, Packed) else arrays.values())
    )
