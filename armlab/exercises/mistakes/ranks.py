"""Of chapter 12, its second lesson."""

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


def seconds(messages: Any, sent: Any) -> Any:
    """A step with other messages and bytes, of (ranks, size)."""

    def answer(
        batch: int, ranks: int, image: float, size: float, latency: float, bandwidth: float
    ) -> float:
        computed = -(-batch // ranks) * image
        told: float = messages(ranks) * latency + sent(ranks, size) / bandwidth
        return computed + told

    return answer


def turns(ranks: int) -> int:
    return 2 * (ranks - 1)


def ring(ranks: int, size: float) -> float:
    return 2 * (ranks - 1) / ranks * size


def multiplied(bandwidth: float, **given: Any) -> Any:
    return seconds(turns, lambda k, size: ring(k, size) * bandwidth**2)(
        bandwidth=bandwidth, **given
    )


def one_more(batch: int, ranks: int, image: float, **given: Any) -> Any:
    return seconds(turns, ring)(batch=0, ranks=ranks, image=image, **given) + (
        (batch // ranks + 1) * image
    )


def side_by_side(ranks: int, latency: float, bandwidth: float, size: float, **a: Any) -> Any:
    """As if the exchange were hidden behind the computing."""
    computed = -(-a["batch"] // ranks) * a["image"]
    return max(computed, turns(ranks) * latency + ring(ranks, size) / bandwidth)


MISTAKES: Mistakes = {
    "shared_gradient": {
        "the weights of the ranks are right, and then it was divided by their number as well": (
            lambda grads, counted: counted @ grads / counted.sum() / len(counted)
        ),
        "this is a mean over the ranks that have something: their shares are still missing": (
            lambda grads, counted: grads[counted > 0].mean(axis=0)
        ),
        "the share of a rank is what counts there, divided by what counts on all: this divides by "
        "the largest": lambda grads, counted: counted @ grads / counted.max(),
        "the more pixels count on a rank, the larger its share: this divides by them": (
            lambda grads, counted: (
                (grads / np.maximum(counted, 1)[:, np.newaxis]).sum(axis=0) * counted.sum()
            )
        ),
        "this divides by the number of ranks: divide by all pixels that count": (
            lambda grads, counted: counted @ grads / len(counted)
        ),
        "each row has its share here: they are still to be added up": (
            lambda grads, counted: counted[:, np.newaxis] * grads / counted.sum()
        ),
        "this is the gradient of rank 0: all ranks belong to it": lambda grads, counted: grads[0],
        "this is the gradient of the rank that has most pixels: all ranks belong to it": (
            lambda grads, counted: grads[np.argmax(counted)]
        ),
    },
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
    "step_seconds": {
        "there are 2 (k − 1) messages, as nobody sends to itself: this counts 2 k": seconds(
            lambda k: 2 * k, ring
        ),
        "each half has k − 1 messages, and so nobody alone sends one: this counts 2 k − 1": seconds(
            lambda k: 2 * k - 1, ring
        ),
        "an all-reduce has two halves of k − 1 messages: this has one of them": seconds(
            lambda k: k - 1, ring
        ),
        "an all-reduce has two halves: the bytes are those of one": seconds(
            turns, lambda k, size: ring(k, size) / 2
        ),
        "an all-reduce has two halves: messages and bytes are those of one": seconds(
            lambda k: k - 1, lambda k, size: ring(k, size) / 2
        ),
        "a message is one part, size / ranks: here each has the whole array": seconds(
            turns, lambda k, size: 2 * (k - 1) * size
        ),
        "it sends 2 (k − 1) / k times the array, not twice: nothing at all where k is 1": seconds(
            turns, lambda k, size: 2 * size
        ),
        "every message has its latency: this counts it once": seconds(lambda k: 1, ring),
        "every message has its latency: it is missing": seconds(lambda k: 0, ring),
        "the bytes take their time: they are missing": seconds(turns, lambda k, size: 0),
        "the bytes are divided by the bandwidth: this multiplies": multiplied,
        "this sends the whole array to each other rank: a ring sends parts of it": seconds(
            lambda k: k - 1, lambda k, size: (k - 1) * size
        ),
        "where the batch is shared out evenly nobody has one more: round up": one_more,
        "the exchange comes behind the computing, and is added: here it goes on meanwhile": (
            side_by_side
        ),
    },
}
STEPS: Steps = {
    "step_seconds": lambda batch, ranks, image, size, latency, bandwidth: {
        "the seconds that it computes": -(-batch // ranks) * image,
        "the seconds of the exchange": turns(ranks) * latency + ring(ranks, size) / bandwidth,
    },
}
