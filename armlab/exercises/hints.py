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
            found = [(t.wrong, _is_it(t, wrong_answer)) for t in in_turn[:1]]
            if found[0][1] is not False:
                found += [(t.wrong, _is_it(t, wrong_answer)) for t in in_turn[1:]]
            if (True, True) in found and not any(it_is is False for _, it_is in found):
                return text
    return ""


def _is_it(t: Tried, wrong_answer: Callable[[Any], Answer]) -> bool | None:
    """Whether a mistake does on this example what the reader's function did.

    None where one of the two breaks a rule and the other does not: another example has to show it.
    """
    try:
        mistaken = tuple(np.asarray(value) for value in wrong_answer(t.example))
    except RuleBroken as error:
        return None if t.error is None else _said(error) == _said(t.error)
    except Exception as error:
        return t.error is not None and _said(error) == _said(t.error)
    if isinstance(t.error, RuleBroken):
        return None
    if t.got is None or len(t.got) != len(mistaken):
        return False
    if is_right(mistaken, t.expected):
        return not t.wrong
    if not t.wrong:
        return False
    limits = [limit for _, limit in t.expected]
    pairs = zip_longest(t.got, mistaken, limits[: len(mistaken)], fillvalue=0.0)
    return all(alike(a, b, limit if np.shape(limit) == b.shape else 0.0) for a, b, limit in pairs)


def _said(error: BaseException) -> str:
    if isinstance(error, RuleBroken):
        return error.rule
    return f"{type(error).__name__}: {error}"
