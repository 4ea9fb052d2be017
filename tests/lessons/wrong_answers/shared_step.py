"""Of chapter 12, its second lesson."""

from math import ceil
from typing import Any

import numpy as np

from wrong_answers.answer import Wrong


def sent_on(parts: Any, turn: int, to: int, sign: int) -> Any:
    k = len(parts)
    moved = np.zeros_like(parts)
    for rank in range(k):
        part = (rank + sign * turn) % k
        moved[(rank + to) % k, part] = parts[rank, part]
    return parts + moved


def step(
    batch: int, ranks: int, image: float, size: float, latency: float, bandwidth: float,
    most: Any = lambda batch, ranks: ceil(batch / ranks),
) -> float:  # fmt: skip
    per_message = latency + size / ranks / bandwidth
    return most(batch, ranks) * image + 2 * (ranks - 1) * per_message


WRONG: Wrong = {
    "shared_gradient": [
        (lambda grads, counted: sum(grads) / len(grads), "the mean of the ranks' means"),
        (lambda grads, counted: sum(grads), "counts every pixel too often"),
        (
            lambda grads, counted: (grads * counted[:, np.newaxis]).sum(axis=0),
            "divide by all that count",
        ),
    ],
    "ring_turn": [
        (lambda parts, turn: sent_on(parts, turn, -1, -1), "the other way"),
        (lambda parts, turn: sent_on(parts, turn, 1, 1), "this sends part r + t"),
        (lambda parts, turn: sent_on(parts, turn, 1, 0), "this sends part r in each"),
    ],
    "step_seconds": [
        (lambda **a: step(**a, most=lambda batch, ranks: batch / ranks), "an image is not cut"),
        (lambda **a: step(**a, most=lambda batch, ranks: batch // ranks), "not down"),
        (lambda **a: step(**a, most=lambda batch, ranks: batch), "no rank computes all of it"),
    ],
}
