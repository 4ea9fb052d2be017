"""Hints: what a wrong answer says of the mistake that was made.

Known mistakes of an exercise come first, its own and the faults of its case: the answer has to be
theirs wherever it was tried, on fresh examples too. Where it is none of them, `likeness` looks for
what it has in common with the right one.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import numpy as np

from armlab.exercises.exercise import Answer, Asked, RuleBroken
from armlab.exercises.fresh import Call, Tried, alike, is_right, tries
from armlab.exercises.likeness import likeness
from armlab.exercises.telling import rule


def hint(asked: Asked, call: Call, failing: list[Any]) -> str:
    """What the mistake is, in a sentence; empty where nothing is known that fits.

    call     the reader's function, as the grader calls it: with its arguments as a dict
    failing  examples on which it is wrong, smaller and smaller
    """
    tried = tries(asked, call, failing)
    if not any(t.wrong for t in tried):
        return ""
    return _known(asked, tried) or likeness(asked, call, tried)


def _known(asked: Asked, tried: list[Tried]) -> str:
    """The hint of the mistake whose answer this is, wherever it was tried."""
    shown, *rest = sorted(tried, key=lambda t: (not t.wrong, t.fresh))
    with contextlib.closing(asked.mistakes()) as mistakes:  # type: ignore[type-var]
        for text, wrong_answer in mistakes:
            if not _is_it(shown, wrong_answer):
                continue
            broken = isinstance(shown.error, RuleBroken)  # a mistake whatever the numbers are
            if broken or all(_is_it(t, wrong_answer) is not False for t in rest):
                return text
    return ""


def _is_it(t: Tried, wrong_answer: Callable[[Any], Answer]) -> bool | None:
    """Whether a mistake does on this example what the reader's function did.

    None where one of the two breaks a rule that the other keeps, which says nothing.
    """
    try:
        mistaken = tuple(np.asarray(value) for value in wrong_answer(t.example))
    except RuleBroken as error:
        return True if t.error is not None and rule(error) == rule(t.error) else None
    except Exception as error:
        return t.error is not None and rule(error) == rule(t.error)
    if isinstance(t.error, RuleBroken):
        return None
    if t.got is None or len(t.got) != len(mistaken):
        return False
    if is_right(mistaken, t.expected):
        return not t.wrong
    if not t.wrong:
        return False
    limits = [limit for _, limit in t.expected]
    limits += [np.zeros(())] * (len(mistaken) - len(limits))
    return all(
        alike(mine, theirs, limit if limit.shape == theirs.shape else 0.0)
        for mine, theirs, limit in zip(t.got, mistaken, limits, strict=False)
    )
