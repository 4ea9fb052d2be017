"""Of chapter 12, its second lesson."""

import math
from typing import Any

import numpy as np

from first_tries.answer import Tries


def weighted(grads: Any, counted: Any, weights: Any) -> Any:
    return sum(w * g for w, g in zip(weights(counted.astype(float)), grads, strict=True))


def turned(parts: Any, turn: int, **other: Any) -> Any:
    k = len(parts)
    new = parts.copy()
    for rank in other.get("ranks", range)(k):
        part = other.get("part", lambda rank, turn: rank - turn)(rank, turn) % k
        to = (rank + other.get("to", 1)) % k
        at = other.get("at", lambda part, rank, to: part)(part, rank, to) % k
        if other.get("adds", True):
            new[to, at] = parts[to, at] + parts[rank, part]
        else:
            new[to, at] = parts[rank, part]
        if other.get("gives", False):
            new[rank, part] = 0
    return new


def all_turns(parts: Any, turn: int) -> Any:
    for t in range(len(parts) - 1):
        parts = turned(parts, t)
    return parts


def up_to(parts: Any, turn: int) -> Any:
    for t in range(turn + 1):
        parts = turned(parts, t)
    return parts


def seconds(
    batch: int, ranks: int, image: float, size: float, latency: float, bandwidth: float,
    **other: Any,
) -> Any:  # fmt: skip
    most = other.get("most", lambda n, k: math.ceil(n / k))(batch, ranks)
    messages = other.get("messages", lambda k: 2 * (k - 1))(ranks)
    sent = other.get("sent", lambda k, b: 2 * (k - 1) / k * b)(ranks, size)
    wire = other.get("wire", lambda sent, bandwidth: sent / bandwidth)(sent, bandwidth)
    return other.get("both", lambda a, b: a + b)(most * image, messages * latency + wire)


TRIES: Tries = {
    "shared_gradient": {
        "the mean": lambda grads, counted: np.mean(grads, axis=0),
        "the sum": lambda grads, counted: np.sum(grads, axis=0),
        "not divided": lambda grads, counted: weighted(grads, counted, lambda q: q),
        "a mean of the weighted": lambda grads, counted: (grads * counted[:, None]).mean(axis=0),
        "divided twice": lambda grads, counted: (grads * (counted / counted.sum())[:, None]).mean(
            axis=0
        ),
        "by the largest": lambda grads, counted: weighted(grads, counted, lambda q: q / q.max()),
        "not added up": lambda grads, counted: grads * (counted / counted.sum())[:, None],
        "the ranks that have some": lambda grads, counted: grads[counted > 0].mean(axis=0),
        "the other axis": lambda grads, counted: grads.mean(axis=1),
        "one number": lambda grads, counted: (counted @ grads / counted.sum()).sum(),
        "downwards": lambda grads, counted: -counted @ grads / counted.sum(),
        "the first rank": lambda grads, counted: grads[0],
        "whole pixels": lambda grads, counted: counted @ grads // counted.sum(),
    },
    "ring_turn": {
        "to the left": lambda parts, turn: turned(parts, turn, to=-1),
        "part r + t": lambda parts, turn: turned(parts, turn, part=lambda r, t: r + t),
        "part r": lambda parts, turn: turned(parts, turn, part=lambda r, t: r),
        "part t": lambda parts, turn: turned(parts, turn, part=lambda r, t: t),
        "replaced": lambda parts, turn: turned(parts, turn, adds=False),
        "given away": lambda parts, turn: turned(parts, turn, gives=True),
        "no ring": lambda parts, turn: turned(parts, turn, ranks=lambda k: range(k - 1)),
        "one part on": lambda parts, turn: turned(parts, turn, at=lambda p, r, to: p + 1),
        "turn t + 1": lambda parts, turn: turned(parts, turn + 1),
        "all turns": all_turns,
        "up to this turn": up_to,
        "every part": lambda parts, turn: parts + np.roll(parts, 1, axis=0),
        "the sum": lambda parts, turn: np.broadcast_to(parts.sum(axis=0), parts.shape).copy(),
        "axes exchanged": lambda parts, turn: turned(parts.swapaxes(0, 1), turn).swapaxes(0, 1),
        "rank 0 alone": lambda parts, turn: turned(parts, turn, ranks=lambda k: [0]),
        "nothing": lambda parts, turn: parts.copy(),
        "what moves": lambda parts, turn: turned(parts, turn) - parts,
    },
    "step_seconds": {
        "images are cut": lambda **a: seconds(**a, most=lambda n, k: n / k),
        "rounded down": lambda **a: seconds(**a, most=lambda n, k: n // k),
        "the whole batch": lambda **a: seconds(**a, most=lambda n, k: n),
        "one more image": lambda **a: seconds(**a, most=lambda n, k: n // k + 1),
        "2 k messages": lambda **a: seconds(**a, messages=lambda k: 2 * k),
        "k - 1 messages": lambda **a: seconds(**a, messages=lambda k: k - 1),
        "2 k - 1 messages": lambda **a: seconds(**a, messages=lambda k: 2 * k - 1),
        "latency once": lambda **a: seconds(**a, messages=lambda k: 1),
        "no latency": lambda **a: seconds(**a, messages=lambda k: 0),
        "half the bytes": lambda **a: seconds(**a, sent=lambda k, b: (k - 1) / k * b),
        "whole arrays": lambda **a: seconds(**a, sent=lambda k, b: 2 * (k - 1) * b),
        "each to each": lambda **a: seconds(
            **a, messages=lambda k: k - 1, sent=lambda k, b: (k - 1) * b
        ),
        "twice the array": lambda **a: seconds(**a, sent=lambda k, b: 2 * b),
        "one half": lambda **a: seconds(
            **a, messages=lambda k: k - 1, sent=lambda k, b: (k - 1) / k * b
        ),
        "times the bandwidth": lambda **a: seconds(**a, wire=lambda sent, rate: sent * rate),
        "hidden": lambda **a: seconds(**a, both=max),
        "the exchange alone": lambda **a: seconds(**a, both=lambda a, b: b),
        "computing alone": lambda **a: seconds(**a, both=lambda a, b: a),
    },
}
