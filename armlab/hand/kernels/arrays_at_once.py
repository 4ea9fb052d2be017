"""The optimisers and the look for NaN on CuPy: one launch for all arrays.

The kernels are in `cuda/arrays_at_once.cu`. New weights come out as views of one new buffer, and
so do velocities and moments: the arrays of the step before are read and stay as they were. What
does not lie in such a buffer, as before the first step or after a checkpoint was loaded, is packed
into one by a launch of its own. Only the addresses of the gradients are new in each step; they
travel with the launch, so nothing is copied to the device.

A launch takes 160 arrays, and more of them take several launches.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import prod
from typing import Any

import numpy as np

from armlab.arrays import Array
from armlab.hand.kernels import cuda
from armlab.hand.kernels.packed import Packed, State, blocks, shapes_of

PAGE, BLOCK = "arrays_at_once", cuda.THREADS
MOST, MOST_BLOCKS = 160, 1024  # arrays in a launch; blocks of one that looks for NaN
PART = np.dtype([("values", "u8"), ("size", "i8"), ("block", "i4"), ("decayed", "i4")])
PARTS = np.dtype([("count", "i4"), ("first", "i4"), ("part", PART, MOST)])
Span = tuple[int, int]  # where values begin in the device's memory, and how many there are


def step(
    like: Array, weights: State, grads: State, *states: State, kernel: str, **rule: float
) -> tuple[State, ...]:
    """New weights, and new states as many as were given. Launches: 1.

    kernel  "sgd" or "adam"
    rule    the numbers of its structure in their order; "decay" spares arrays of one axis
    """
    shapes = shapes_of(weights)
    buffers = [_buffer(arrays, [*weights]) for arrays in (weights, *states)]
    given = _in_rows([grads[key] for key in weights])
    decayed = [bool(rule["decay"]) and w.ndim > 1 for w in weights.values()]
    length = blocks(map(prod, shapes.values()), BLOCK)[-1] * BLOCK
    made = [cuda.empty(like, (length,)) for _ in buffers]
    numbers = np.array([*rule.values()], like.dtype)
    numbers = numbers.view(f"V{numbers.nbytes}")[0]  # a scalar: see `cuda.structure`
    for parts, count in _tables([(a.data.ptr, a.size) for a in given], decayed):
        cuda.launch_blocks(PAGE, kernel, like, count, BLOCK, *buffers, *made, numbers, parts)
    return tuple(Packed(shapes, buffer, BLOCK) for buffer in made)


def with_finite(loss: Array, arrays: Iterable[Array]) -> Array:
    """The loss, and behind it numbers that are finite where all values are. Launches: 1."""
    kept = _in_rows([a for a in arrays if a.dtype == loss.dtype])
    tables = list(_tables(_spans([loss, *kept])))
    found = cuda.empty(loss, (1 + sum(min(count, MOST_BLOCKS) for _, count in tables),))
    at = 1
    for parts, count in tables:
        few, end = min(count, MOST_BLOCKS), int(parts["first"]) + count
        numbers = np.int32(at), np.int32(end)
        cuda.launch_blocks(PAGE, "with_finite", loss, few, BLOCK, loss, found, *numbers, parts)
        at += few
    return found


def _in_rows(arrays: Sequence[Array]) -> list[Array]:
    """The arrays, each contiguous."""
    return [a if a.flags.c_contiguous else cuda.contiguous(a) for a in arrays]


def _tables(spans: Sequence[Span], decayed: Sequence[bool] = ()) -> Iterator[tuple[Any, int]]:
    """For each launch what its kernel is told of these arrays, and how many blocks they have."""
    begins = blocks((size for _, size in spans), BLOCK)
    for start in range(0, len(spans), MOST):
        end = min(start + MOST, len(spans))
        table = np.zeros((), PARTS)
        table["count"], table["first"] = end - start, begins[start]
        part = table["part"][: end - start]
        part["values"], part["size"] = np.array(spans[start:end], np.uint64).T
        part["block"] = begins[start:end]
        part["decayed"] = decayed[start:end] or 0
        yield table[()], begins[end] - begins[start]


def _buffer(arrays: State, keys: list[str]) -> Any:
    """The buffer in which these arrays lie in this order, a new one if they don't.

    NOTHING where there are none.
    """
    if isinstance(arrays, Packed) and arrays.block == BLOCK and [*arrays] == keys:
        return arrays.buffer
    given = [arrays[key] for key in keys if arrays and arrays[key].size]
    if not given:
        return cuda.NOTHING
    given = _in_rows(given)
    if len(_spans(given)) == 1:
        return given[0]
    spans = [(a.data.ptr, a.size) for a in given]
    buffer = cuda.empty(given[0], (blocks((a.size for a in given), BLOCK)[-1] * BLOCK,))
    for parts, count in _tables(spans):
        cuda.launch_blocks(PAGE, "pack", buffer, count, BLOCK, buffer, parts)
    return buffer


def _spans(arrays: Sequence[Array]) -> list[Span]:
    """Where these contiguous arrays lie; those that are packed behind each other are one."""
    spans: list[Span] = []
    memory, behind = None, 0
    for a in arrays:
        if not a.size:
            continue
        start, end = a.data.ptr, a.data.ptr + a.nbytes
        if a.data.mem is memory and start == behind:
            start = spans.pop()[0]
        spans.append((start, (end - start) // a.itemsize))
        memory, behind = a.data.mem, a.data.ptr + -(-a.size // BLOCK) * BLOCK * a.itemsize
    return spans
