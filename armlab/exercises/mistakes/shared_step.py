"""Of chapter 12, its second lesson."""

from __future__ import annotations

from typing import Any

import numpy as np

from armlab.exercises.mistakes.given import Mistakes, Steps


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
