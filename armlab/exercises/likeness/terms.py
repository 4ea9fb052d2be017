"""An answer that is one of the arguments, a step of the derivation, or a sum of a few of them."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np

from armlab.exercises.likeness.result import Result, Seen
from armlab.exercises.likeness.values import number, told_factor

RIGHT = "the right value"


def one(result: Result) -> str:
    """It is one of what has a name, as it is or with a factor."""
    if result.everywhere(lambda s: not s.got.any() and bool(s.got.size)):
        return "this is 0 everywhere"
    for name in result.names():
        if result.everywhere(lambda s: _is(s, name)):  # noqa: B023
            unchanged = ", and nothing was done to it" * (name in result.given)
            return f"this is {name}{unchanged}"
    if told_factor(result.seen, lambda s: s.want):
        return ""  # which is said in another way
    for name in result.names():
        if told := told_factor(result.seen, lambda s: _spread(s, name)):  # noqa: B023
            return f"this is {told} {name}"
    return ""


def _spread(s: Seen, name: str) -> Any:
    value = np.asarray(s.named[name])
    try:
        return np.broadcast_to(value, s.got.shape)
    except ValueError:
        return np.full(s.got.shape, np.nan)


def _is(s: Seen, name: str) -> bool:
    value = np.asarray(s.named[name])
    return s.got.ndim == 0 == value.ndim and bool(s.is_got(value)) if value.ndim == 0 else (
        s.is_got(_spread(s, name))
    )  # fmt: skip


def several(result: Result) -> str:
    """It is a weighted sum of two or three that have a name."""
    names = [n for n in result.names() if all(_same_shape(s, n) for s in result.seen)]
    if any(s.got.shape != s.want.shape for s in result.seen):
        return ""
    got = np.concatenate([s.got.ravel() for s in result.seen])
    rtol = 0.1 * max(s.rtol for s in result.seen)
    if not np.isfinite(got).all():
        return ""
    columns = {n: np.concatenate([_flat(s, n) for s in result.seen]) for n in names}
    columns[RIGHT] = np.concatenate([s.want.ravel() for s in result.seen]).astype(float)
    near = [(n, RIGHT) for n in names]  # the right value, and a term too many or too few
    sums = [*combinations(columns, 2), *combinations(names, 3)]
    for chosen in near + sums:
        weights = _weights(got, [columns[n] for n in chosen], rtol)
        if weights is not None and (chosen not in near or _by_one_term(weights)):
            return _told(chosen, weights)
    return ""


def _by_one_term(weights: list[float]) -> bool:
    return bool(np.allclose(np.abs(weights), 1, rtol=1e-7) and weights[-1] > 0)


def _same_shape(s: Seen, name: str) -> bool:
    return np.ndim(s.named[name]) == s.got.ndim > 0 and not np.isnan(_spread(s, name)).any()


def _flat(s: Seen, name: str) -> np.ndarray:
    return np.asarray(_spread(s, name), dtype=float).ravel()


def _weights(got: np.ndarray, columns: list[np.ndarray], rtol: float) -> list[float] | None:
    """The weights of the sum, none of them 0; None where there are none that fit."""
    matrix = np.stack(columns, axis=1)
    if len(got) < 4 * len(columns):
        return None
    found, _, rank, _ = np.linalg.lstsq(matrix, got, rcond=None)
    off = np.abs(matrix @ found - got).max(initial=0)
    if rank < len(columns) or off > rtol * np.abs(got).max(initial=0):
        return None
    weights = [float(w) for w in found]
    return weights if min(map(abs, weights)) > 1e-6 else None


def _told(names: tuple[str, ...], weights: list[float]) -> str:
    """The sum in words; shorter where one term is all that is too much or missing."""
    terms = dict(zip(names, weights, strict=True))
    if abs(terms.pop(RIGHT, 0) - 1) < 1e-7 and len(terms) == 1:
        (name, weight), *_ = terms.items()
        if abs(weight + 1) < 1e-7:
            return f"a term is missing: {name}"
        if abs(weight - 1) < 1e-7:
            return f"the right value, and {name} once too often"
    told = ""
    for name, weight in zip(names, weights, strict=True):
        size = number(abs(weight))
        told += (" − " if told else "−") if weight < 0 else " + " if told else ""
        told += name if size == "1" else f"{size} × {name}"
    return f"this is {told}"
