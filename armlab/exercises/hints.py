"""Hints: what a wrong answer says of the mistake that was made.

Known mistakes of an exercise come first, its own and the faults of its case: the answer has to be
theirs wherever it was tried, on fresh examples too. Where it is none of them, `likeness` looks for
what it has in common with the right one.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from itertools import zip_longest
from typing import Any

import numpy as np

from armlab.exercises.exercise import Answer, Asked, RuleBroken
from armlab.exercises.fresh import Call, Tried, alike, is_right, tries
from armlab.exercises.likeness import likeness


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
    in_turn = sorted(tried, key=lambda t: not t.wrong)  # the first wrong one tells most apart
    with contextlib.closing(asked.mistakes()) as mistakes:  # type: ignore[type-var]
        for text, wrong_answer in mistakes:
            if all(_is_it(t, wrong_answer) for t in in_turn):
                return text
    return ""


def _is_it(t: Tried, wrong_answer: Callable[[Any], Answer]) -> bool:
    """Whether a mistake does on this example what the reader's function did."""
    try:
        mistaken = tuple(np.asarray(value) for value in wrong_answer(t.example))
    except Exception as error:
        return t.error is not None and _said(error) == _said(t.error)
    if t.got is None or len(t.got) != len(mistaken):
        return False
    if is_right(mistaken, t.expected):
        return not t.wrong
    limits = [
        limit if np.shape(limit) == m.shape else 0.0 for m, limit in _with_limits(mistaken, t)
    ]
    return t.wrong and all(map(alike, t.got, mistaken, limits))


def _with_limits(mistaken: Answer, t: Tried) -> list[tuple[Any, Any]]:
    """Each result with how far off a right one may be; none where there are more or fewer."""
    limits = [limit for _, limit in t.expected]
    return [(m, limit) for m, limit in zip_longest(mistaken, limits[: len(mistaken)])]


def _said(error: BaseException) -> str:
    if isinstance(error, RuleBroken):
        return error.rule
    return f"{type(error).__name__}: {error}"
