"""An answer that is right in one precision and not in the one that is asked for."""

from __future__ import annotations

import numpy as np

from armlab.exercises.exercise import Answer, Asked
from armlab.exercises.fresh import Call, Tried, attempt, is_right
from armlab.exercises.likeness.result import LEAST
from armlab.exercises.portable import Portable

MOST = 8  # examples that are tried once more
DIGITS = 1e-6  # to which float32 is right, where few numbers are added


def precision(asked: Asked, call: Call, tried: list[Tried]) -> str:
    """float64 in the place of float32, the other way round, or too little room in float32."""
    wrong = [t for t in tried if t.wrong]
    if len(wrong) < LEAST:
        return ""
    if all(t.got is not None and _is_float32(t.got, t) for t in wrong) and asked.dtype == "float64":
        return "right to 7 digits: something in it is float32, which has no more"
    if not isinstance(asked, Portable) or not all(_right_in_float64(call, t) for t in wrong[:MOST]):
        return ""
    if all("is float64" in str(t.error) for t in wrong):
        return (
            "its numbers are right, and float64: on its way it meets a NumPy number, or an array "
            "that was made without dtype=…"
        )
    return (
        "right in float64, wrong in float32: a number on its way is too large or too small for it, "
        "or is lost beside a larger one"
    )


def _is_float32(got: Answer, t: Tried) -> bool:
    """Whether the numbers are those of float32, and so near to the right ones."""
    return len(got) == len(t.expected) and all(
        a.shape == want.shape
        and bool((a == a.astype(np.float32)).all())
        and bool((np.abs(a - want) <= DIGITS * np.abs(want).max(initial=0) + limit).all())
        for a, (want, limit) in zip(got, t.expected, strict=True)
    )


def _right_in_float64(call: Call, t: Tried) -> bool:
    arrays = {k: v for k, v in t.arguments.items() if isinstance(v, np.ndarray)}
    wide = {k: v.astype(np.float64) for k, v in arrays.items() if v.dtype == np.float32}
    got, _ = attempt(call, t.arguments | wide)
    return got is not None and is_right(got, t.expected)
