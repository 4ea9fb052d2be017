"""One result of an answer, on the examples where it is wrong."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from armlab.exercises.exercise import Asked
from armlab.exercises.fresh import Tried, alike, same

LEAST = 3  # examples on which it is wrong


@dataclass(frozen=True)
class Seen:
    """got and want on one example, and all that has a name there, right results among it."""

    got: np.ndarray
    want: np.ndarray
    limit: np.ndarray
    named: dict[str, Any]
    sizes: dict[str, float]

    @property
    def is_wrong(self) -> bool:
        return not same(self.got, self.want, self.limit)

    @property
    def rtol(self) -> float:
        return 1e-5 if self.got.dtype == np.float32 else 1e-7

    def is_got(self, value: Any) -> bool:
        limit = self.limit if np.shape(value) == self.limit.shape else 0.0
        return alike(self.got, value, limit)


@dataclass(frozen=True)
class Result:
    """One of `count` results: its name, those of the arguments, and what was seen of it."""

    name: str
    count: int
    given: list[str]
    seen: list[Seen]

    def everywhere(self, holds: Callable[[Seen], bool]) -> bool:
        return all(map(holds, self.seen))

    def names(self) -> list[str]:
        """Names that stand for something on every example."""
        first, *rest = (s.named for s in self.seen)
        return [name for name in first if all(name in other for other in rest)]

    @property
    def is_number(self) -> bool:
        return all(s.want.ndim == 0 for s in self.seen)


def results_of(asked: Asked, tried: list[Tried]) -> Iterator[Result]:
    """Each result that is often wrong, on all examples: what is said of it has to hold on all."""
    names = asked.names()
    counted = [t for t in tried if t.got is not None and len(t.got) == len(names)]
    for i, name in enumerate(names):
        seen = [_seen(asked, t, i) for t in counted]
        if sum(s.is_wrong for s in seen) >= LEAST:
            yield Result(name, len(names), list(counted[0].arguments), seen)


def _seen(asked: Asked, t: Tried, i: int) -> Seen:
    assert t.got is not None
    want, limit = t.expected[i]
    arrays = {k: v for k, v in t.arguments.items() if _numbers(v)}
    others = {
        f"the right {name}": other
        for j, (name, (other, _)) in enumerate(zip(asked.names(), t.expected, strict=True))
        if j != i
    }
    return Seen(
        t.got[i], want, limit, arrays | asked.parts_of(t.arguments) | others, sizes(t.arguments)
    )


def _numbers(value: Any) -> bool:
    return isinstance(value, np.ndarray | int | float) and not isinstance(value, bool)


def sizes(arguments: dict[str, Any]) -> dict[str, float]:
    """Lengths that a factor may come from: N, C, H, W and their products, and numbers."""
    shapes = {k: _shape(k, v) for k, v in arguments.items()}
    found: dict[str, float] = {}
    for name, shape in shapes.items():
        if len(shape) == 4:
            found |= {f"{key} of {name}": size for key, size in _of_features(*shape).items()}
        if len(shape) == 1:
            found[f"the length of {name}"] = shape[0]
            found[f"the root of the length of {name}"] = math.sqrt(shape[0])
    return found | {k: v for k, v in arguments.items() if isinstance(v, int | float) and v}


def _shape(name: str, value: Any) -> tuple[int, ...]:
    if name == "shape" and isinstance(value, tuple):
        return value
    return value.shape if isinstance(value, np.ndarray) else ()


def _of_features(n: int, c: int, h: int, w: int) -> dict[str, float]:
    found = {"N": n, "H W": h * w, "N H W": n * h * w, "C": c, "H": h, "W": w, "C H W": c * h * w}
    return {key: float(value) for key, value in found.items() if value}
