"""Numbers that are a factor, a sign, or a function away from the right ones."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

from armlab.exercises.likeness.result import Result, Seen

FUNCTIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "the square of the right value": lambda v: v**2,
    "the square root of the right value": lambda v: np.sqrt(np.abs(v)),
    "the right value without its sign": np.abs,
    "one divided by the right value": lambda v: 1 / np.where(v == 0, np.nan, v),
    "1 − the right value": lambda v: 1 - v,
    "the sigmoid of the right value": lambda v: 1 / (1 + np.exp(-np.clip(v, -500, 500))),
    "the right value, rounded down": np.floor,
    "the right value, rounded up": np.ceil,
    "the right value, with what is negative set to 0": lambda v: np.maximum(v, 0),
}


def number(c: float) -> str:
    """A factor in words that a person would write: 2, ½ as 1/2, 0.3."""
    if not np.isfinite(c):
        return str(c)
    if abs(c) < 0.01 and abs(1 / c - round(1 / c)) < 1e-6 / abs(c):
        return f"1/{round(1 / c)}"
    near = Fraction(c).limit_denominator(64)
    return str(near) if abs(float(near) - c) < 1e-7 * abs(c) else f"{c:.4g}"


def ratio(got: np.ndarray, value: Any, rtol: float = 1e-7) -> float | None:
    """c with got = c value, if there is one that is not 0."""
    value = np.asarray(value, dtype=float)
    if got.shape != value.shape or not got.any():
        return None
    if not (np.isfinite(value).all() and np.isfinite(got).all()):
        return None
    at = np.unravel_index(np.argmax(np.abs(value)), value.shape)
    if not value[at]:
        return None
    c = float(got[at] / value[at])
    largest = np.abs(got).max()
    near = np.allclose(got, c * value, rtol=rtol, atol=rtol * largest)
    return c if c and near else None


def told_factor(seen: list[Seen], of: Callable[[Seen], Any]) -> str:
    """ "2 ×", or "H W ×" where it differs; empty where there is no common one."""
    told = [s for s in seen if np.any(of(s)) or s.got.any()]  # 0 is any factor of 0
    found = [ratio(s.got, of(s), s.rtol) for s in told]
    rtol = max((s.rtol for s in told), default=0.0)
    ratios = [c for c in found if c is not None]
    if len(found) != len(ratios) or len(ratios) < min(3, len(seen)):
        return ""
    if np.allclose(ratios, ratios[0], rtol=rtol):
        return "" if abs(ratios[0] - 1) < rtol else f"{number(ratios[0])} ×"
    common = set.intersection(*(set(s.sizes) for s in told))
    for name in (key for key in told[0].sizes if key in common):
        sizes = np.array([s.sizes[name] for s in told])
        if np.allclose(ratios, sizes, rtol=rtol):
            return f"{name} ×"
        if np.allclose(ratios, 1 / sizes, rtol=rtol):
            return f"1 / ({name}) ×" if " " in name else f"1 / {name} ×"
    return ""


def factor(result: Result) -> str:
    """It is right up to a factor, which can be named."""
    told = told_factor(result.seen, lambda s: s.want)
    if told == "-1 ×":
        return "its sign is the other one"
    return f"this is {told} the right value" if told else ""


def elementwise(result: Result) -> str:
    """A named array is a factor too many, or one that is missing."""
    for name in result.names():
        if name.startswith("the right "):
            continue
        if not any(np.any(s.named[name]) and np.any(s.got) for s in result.seen):
            continue
        if result.everywhere(lambda s: _times(s.got, s.want, s.named[name], s)):  # noqa: B023
            return f"this is the right value times {name}"
        if result.everywhere(lambda s: _times(s.want, s.got, s.named[name], s)):  # noqa: B023
            return f"a factor is missing: times {name} it is right"
    return ""


def _times(product: np.ndarray, value: np.ndarray, by: Any, s: Seen) -> bool:
    try:
        times = value * np.asarray(by, dtype=float)
    except (ValueError, TypeError):
        return False
    if times.shape != product.shape or not np.isfinite(product).all():
        return False
    return np.allclose(product, times, rtol=s.rtol, atol=s.rtol * np.abs(product).max(initial=0))


def changed(result: Result) -> str:
    """A well-known function of the right value, or a constant away from it."""
    with np.errstate(all="ignore"):
        for text, function in FUNCTIONS.items():
            if result.everywhere(lambda s: s.is_got(function(s.want))):  # noqa: B023
                return f"this is {text}"
        if result.everywhere(lambda s: s.want.dtype.kind in "iu" and _cut_off(s)):
            return "this is not rounded yet: with the fraction cut off it is right"
    if any(s.got.shape != s.want.shape for s in result.seen):
        return ""
    away = [float((s.got - s.want).flat[0]) for s in result.seen if s.got.size]
    if away and result.everywhere(lambda s: s.is_got(s.want + away[0])):
        more, by = "more" if away[0] > 0 else "less", number(abs(away[0]))
        return f"this is {by} {more} than the right value"
    return ""


def _cut_off(s: Seen) -> bool:
    return s.got.shape == s.want.shape and bool((np.floor(s.got + 1e-9) == s.want).all())
