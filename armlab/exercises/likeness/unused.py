"""An argument on which the answer does not depend."""

from __future__ import annotations

from typing import Any

import numpy as np

from armlab.exercises.exercise import Arguments, Asked, Puzzle, as_tuple
from armlab.exercises.fresh import Call, Tried, attempt, same

MOST, LEAST = 12, 5  # examples


def unused(asked: Asked, call: Call, tried: list[Tried]) -> str:
    """The first argument that makes no difference wherever the answer is wrong."""
    wrong = [t for t in tried if t.wrong and t.fresh and t.got is not None]
    wrong = sorted(wrong, key=lambda t: not t.plain)[:MOST]
    if len(wrong) < LEAST:
        return ""
    for name in sorted(wrong[0].arguments, key=lambda k: not callable(wrong[0].arguments[k])):
        if _makes_no_difference(asked, call, wrong, name):
            if callable(wrong[0].arguments[name]):
                return f"{name} makes no difference: what it returns is not in the answer"
            return f"{name} makes no difference: another {name} gives the same answer"
    return ""


def _makes_no_difference(asked: Asked, call: Call, wrong: list[Tried], name: str) -> bool:
    """Whether the answer stays the same with another value, where the right one does not."""
    counted = 0
    for t in wrong:
        changed = {**t.arguments, name: _other(t.arguments[name])}
        if not _matters(asked, t, changed):
            continue
        counted += 1
        got, _ = attempt(call, changed)
        if got is None or t.got is None or len(got) != len(t.got) or not all(map(same, got, t.got)):
            return False
    return counted >= LEAST


def _matters(asked: Asked, t: Tried, changed: Arguments) -> bool:
    """Whether the right answer changes too; an exercise about a module asks for nothing else."""
    if not isinstance(asked, Puzzle):
        return True
    try:
        right = as_tuple(asked.answer(**changed))
    except Exception:  # no argument that the exercise could be asked with
        return False
    return not all(same(np.asarray(a), b) for a, (b, _) in zip(right, t.expected, strict=True))


def _other(value: Any) -> Any:
    """Another value in its place, of the same kind."""
    if callable(value):
        return lambda *given: _noisy(value(*given))
    if isinstance(value, np.ndarray):
        turned = np.random.default_rng(0).permutation(value.ravel()).reshape(value.shape)
        return _noisy(3 * turned) if value.dtype.kind == "f" else turned
    if isinstance(value, tuple):
        return tuple(v + 1 for v in value)
    if isinstance(value, list):
        return value[::-1]
    return 2 * value + 1 if isinstance(value, int) else 1.5 * value


def _noisy(value: Any) -> Any:
    """A value that is another in whichever part of it is used."""
    if callable(value):
        return _other(value)
    if isinstance(value, tuple):
        return tuple(_noisy(v) for v in value)
    if isinstance(value, dict):
        return {key: _noisy(v) for key, v in value.items()}
    noise = np.random.default_rng(0).standard_normal(np.shape(value))
    return (value + noise).astype(value.dtype)
