"""Of chapter 12, its second lesson: a turn of an all-reduce around a ring."""

from __future__ import annotations

from typing import Any

import numpy as np

from armlab.exercises.mistakes.given import Mistakes, Steps


def sent_parts(parts: Any, turn: int, change: Any) -> Any:
    """What rank r makes of part p of the next one, of (its own, the part that it gets)."""
    k, new = len(parts), parts.copy()
    for r in range(k):
        to, p = (r + 1) % k, (r - turn) % k
        new[to, p] = change(parts[to, p], parts[r, p])
    return new


def kept_place(parts: Any, turn: int) -> Any:
    """The part is added where its number is that of the neighbour."""
    k, new = len(parts), parts.copy()
    for r in range(k):
        to, p = (r + 1) % k, (r - turn) % k
        new[to, (p + 1) % k] += parts[r, p]
    return new


def of_part(parts: Any, turn: int) -> Any:
    """parts[p, r] for parts[r, p]."""
    turned = sent_parts(parts.swapaxes(0, 1), turn, lambda own, got: own + got)
    return turned.swapaxes(0, 1)


def given_away(parts: Any, turn: int) -> Any:
    """Whoever sends a part has it no more."""
    k, new = len(parts), sent_parts(parts, turn, lambda own, got: own + got)
    for r in range(k):
        new[r, (r - turn) % k] = 0
    return new


def one_turn_further(parts: Any, turn: int) -> Any:
    return sent_parts(parts, turn + 1, lambda own, got: own + got)


def until(parts: Any, turn: int) -> Any:
    for t in range(turn + 1):
        parts = sent_parts(parts, t, lambda own, got: own + got)
    return parts


def in_one_column(parts: Any, turn: int) -> Any:
    new = parts.copy()
    new[:, turn] += np.roll(parts[:, turn], 1, axis=0)
    return new


def rank_0_alone(parts: Any, turn: int) -> Any:
    new, p = parts.copy(), -turn % len(parts)
    new[1, p] += parts[0, p]
    return new


def without_the_last(parts: Any, turn: int) -> Any:
    """The ring is a line: the last rank sends to nobody."""
    k, new = len(parts), parts.copy()
    for r in range(k - 1):
        new[r + 1, (r - turn) % k] += parts[r, (r - turn) % k]
    return new


MISTAKES: Mistakes = {
    "ring_turn": {
        "in the first half a rank adds what it gets: this replaces": (
            lambda parts, turn: sent_parts(parts, turn, lambda own, got: got)
        ),
        "a rank keeps what it has sent, and this sets it to 0": given_away,
        "the part keeps its number: part p is added to part p of the neighbour": kept_place,
        "parts[r, p] is part p of rank r: this reads it as part r of rank p": of_part,
        "turns count from 0: in turn 0 rank r sends part r": one_turn_further,
        "this is one turn alone, and what lies behind the earlier ones is given: this runs them "
        "once more": until,
        "each rank sends another part in a turn: this sends part t of all": in_one_column,
        "all ranks send in each turn: here it is rank 0 alone": rank_0_alone,
        "the last rank sends too, to rank 0: the line is a ring": without_the_last,
        "a rank sends one part in a turn: this sends all of them": (
            lambda parts, turn: parts + np.roll(parts, 1, axis=0)
        ),
    },
}
STEPS: Steps = {}
