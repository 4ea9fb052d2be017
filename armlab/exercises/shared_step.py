"""Chapter 12, its second lesson: a step that is shared out among ranks."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from armlab.exercises.exercise import Arguments, Asked, Puzzle


def shared_gradient(grads: np.ndarray, counted: np.ndarray) -> np.ndarray:
    summed: np.ndarray = counted @ grads / counted.sum()
    return summed


@st.composite
def gradients(draw: st.DrawFn) -> Arguments:
    """Of 1 to 4 ranks, some of which may have nothing that counts."""
    ranks, weights = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    counts = st.lists(st.sampled_from([1, 2, 3, 7, 0]), min_size=ranks, max_size=ranks)
    counted = np.array(draw(counts.filter(any)))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    grads = rng.uniform(0.5, 2, (ranks, weights)) * rng.choice([-1, 1], (ranks, weights))
    return {"grads": np.where(counted[:, np.newaxis] > 0, grads, 0.0), "counted": counted}


def ring_turn(parts: np.ndarray, turn: int, ahead: int = 1, later: int = -1) -> np.ndarray:
    """`ahead` is how far the neighbour is, `later` how the part moves from turn to turn."""
    k, new = len(parts), parts.copy()
    for r in range(k):
        p = (r + later * turn) % k
        new[(r + ahead) % k, p] += parts[r, p]
    return new


@st.composite
def turns(draw: st.DrawFn) -> Arguments:
    """What 2 to 5 ranks have, in whole numbers that differ from place to place."""
    k, n = draw(st.integers(2, 5)), draw(st.integers(1, 2))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    parts = rng.permutation(k * k * n).reshape(k, k, n) + 1.0
    return {"parts": parts, "turn": draw(st.integers(0, k - 2))}


def step_seconds(
    batch: int, ranks: int, image: float, size: float, latency: float, bandwidth: float
) -> float:
    most = -(-batch // ranks)
    sent = 2 * (ranks - 1) / ranks * size
    return most * image + 2 * (ranks - 1) * latency + sent / bandwidth


STEPS_OF_BATCHES = st.fixed_dictionaries(
    {
        "batch": st.integers(1, 64),
        "ranks": st.integers(1, 16),
        "image": st.sampled_from([0.5, 2.0, 3.0]),
        "size": st.sampled_from([12.0, 100.0, 700.0]),
        "latency": st.sampled_from([0.125, 0.0625, 1.0]),
        "bandwidth": st.sampled_from([4.0, 10.0, 64.0]),
    }
)

EXERCISES: dict[str, Asked] = {
    "shared_gradient": Puzzle(
        "shared_gradient(grads, counted) -> dw",
        gradients(),
        shared_gradient,
        {
            "this is the mean of the ranks' means: a rank goes in with its share of the pixels "
            "that count": lambda grads, counted: grads.mean(axis=0),
            "each row is a mean already, over the pixels of its rank: the sum of the rows counts "
            "every pixel too often": lambda grads, counted: grads.sum(axis=0),
            "this is the gradient of the sum over pixels: divide by all that count": (
                lambda grads, counted: counted @ grads
            ),
        },
        relative=1e-9,
    ),
    "ring_turn": Puzzle(
        "ring_turn(parts, turn) -> parts",
        turns(),
        ring_turn,
        {
            "rank r sends to rank r + 1: this goes around the other way": (
                lambda parts, turn: ring_turn(parts, turn, ahead=-1)
            ),
            "in turn t rank r sends part r − t, the one that it has just added to: this sends "
            "part r + t": lambda parts, turn: ring_turn(parts, turn, later=1),
            "the part changes from turn to turn, r − t: this sends part r in each": (
                lambda parts, turn: ring_turn(parts, turn, later=0)
            ),
        },
    ),
    "step_seconds": Puzzle(
        "step_seconds(batch, ranks, image, size, latency, bandwidth) -> seconds",
        STEPS_OF_BATCHES,
        step_seconds,
        {
            "an image is not cut: the rank with most images has batch / ranks rounded up": (
                lambda batch, ranks, image, **a: (
                    step_seconds(0, ranks, image, **a) + batch / ranks * image
                )
            ),
            "the others wait for the rank with most images: round up, not down": (
                lambda batch, ranks, image, **a: (
                    step_seconds(0, ranks, image, **a) + batch // ranks * image
                )
            ),
            "the batch is shared out: no rank computes all of it": (
                lambda batch, ranks, image, **a: step_seconds(0, ranks, image, **a) + batch * image
            ),
        },
        relative=1e-9,
    ),
}
