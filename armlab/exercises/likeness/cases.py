"""Answers that are right on some examples and wrong on others: what these have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from armlab.exercises.fresh import Tried

LEAST = 6
Holds = Callable[[Tried], bool]


def cases(tried: list[Tried]) -> str:
    """Where the answer is right: on all of these and on no others."""
    fresh = [t for t in tried if t.fresh and _says_something(t)]
    wrong = sum(t.wrong for t in fresh)
    if min(wrong, len(fresh) - wrong) < LEAST:
        return ""
    for text, holds in _kinds(fresh):
        if all(holds(t) != t.wrong for t in fresh):
            return text
    return ""


def _says_something(t: Tried) -> bool:
    """Whether an answer could be wrong there: the right one is not 0 everywhere."""
    return any(want.any() for want, _ in t.expected)


def _kinds(tried: list[Tried]) -> Iterator[tuple[str, Holds]]:
    shaped: dict[str, Callable[[tuple[int, ...]], bool]] = {
        "right for one image, wrong for several": lambda s: s[0] == 1,
        "right where H = W, wrong where they differ": lambda s: s[2] == s[3],
        "right for one pixel, wrong for larger images": lambda s: s[2] * s[3] == 1,
        "right for one channel, wrong for several": lambda s: s[1] == 1,
    }
    for text, of_shape in shaped.items():
        yield text, lambda t, of_shape=of_shape: any(map(of_shape, _shapes(t)))  # type: ignore[misc]
    for name, value in tried[0].arguments.items():
        if isinstance(value, int | float | tuple) and name != "shape":
            yield from _of_value(name, tried)
        if isinstance(value, np.ndarray) and value.dtype.kind == "f":
            yield f"right where no two numbers of {name} are equal", _all_differ(name)
            yield f"right where no number of {name} is 0", _nonzero(name)
            yield f"right where no number of {name} is negative", _positive(name)
            yield f"right where no number of {name} is large", _small(name)


def _shapes(t: Tried) -> list[tuple[int, ...]]:
    arrays = [v.shape for v in t.arguments.values() if isinstance(v, np.ndarray)]
    if isinstance(shape := t.arguments.get("shape"), tuple):
        arrays.append(shape)
    features = [shape for shape in arrays if len(shape) == 4]
    return features[:1]


def _of_value(name: str, tried: list[Tried]) -> Iterator[tuple[str, Holds]]:
    for value in dict.fromkeys(t.arguments[name] for t in tried):
        yield f"right only where {name} is {value}", _equals(name, value)


def _equals(name: str, value: Any) -> Holds:
    return lambda t: bool(t.arguments[name] == value)


def _all_differ(name: str) -> Holds:
    return lambda t: len(np.unique(t.arguments[name])) == t.arguments[name].size


def _nonzero(name: str) -> Holds:
    return lambda t: bool(t.arguments[name].all())


def _positive(name: str) -> Holds:
    return lambda t: bool((t.arguments[name] >= 0).all())


def _small(name: str) -> Holds:
    return lambda t: bool((np.abs(t.arguments[name]) < 20).all())
