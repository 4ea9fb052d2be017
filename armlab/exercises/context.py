"""Chapter 9: a task that needs context."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from armlab.exercises.exercise import Arguments, Asked, Puzzle

Layers = list[tuple[int, int, int]]  # kernel, stride and padding of each, the first one first


def rows_read(first: int, last: int, layers: Layers) -> tuple[int, int]:
    for kernel, stride, padding in reversed(layers):
        first, last = stride * first - padding, stride * last - padding + kernel - 1
    return first, last


def without_padding(first: int, last: int, layers: Layers) -> tuple[int, int]:
    return rows_read(first, last, [(kernel, stride, 0) for kernel, stride, _ in layers])


def without_span(first: int, last: int, layers: Layers) -> tuple[int, int]:
    return rows_read(first, last, [(1, stride, padding) for _, stride, padding in layers])


@st.composite
def windows(draw: st.DrawFn) -> Arguments:
    """A few rows of an output, and the layers before it."""
    first = draw(st.integers(0, 9))
    layer = st.tuples(st.sampled_from([3, 1, 5, 7]), st.integers(1, 3), st.integers(0, 3))
    layers = draw(st.lists(layer, min_size=1, max_size=5))
    return {"first": first, "last": first + draw(st.integers(0, 2)), "layers": layers}


def iou(counts: np.ndarray) -> np.ndarray:
    both = np.diagonal(counts)
    shares: np.ndarray = both / (counts.sum(axis=0) + counts.sum(axis=1) - both)
    return shares


@st.composite
def confusions(draw: st.DrawFn) -> Arguments:
    """Counts of 2 to 4 classes, each of which was found at least once."""
    size = draw(st.integers(2, 4))
    cells = st.lists(st.integers(0, 9), min_size=size * size, max_size=size * size)
    return {"counts": np.array(draw(cells)).reshape(size, size) + np.eye(size, dtype=int)}


def adam_step(
    w: np.ndarray,
    g: np.ndarray,
    m: np.ndarray,
    s: np.ndarray,
    t: int,
    rate: float,
    b1: float,
    b2: float,
    eps: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    m, s = b1 * m + (1 - b1) * g, b2 * s + (1 - b2) * g**2
    root = np.sqrt(s / (1 - b2**t))
    return w - rate * (m / (1 - b1**t)) / (root + eps), m, s


def uncorrected(w: np.ndarray, rate: float, eps: float, **a: np.ndarray) -> tuple[np.ndarray, ...]:
    _, m, s = adam_step(w=w, rate=rate, eps=eps, **a)  # type: ignore[arg-type]
    return w - rate * m / (np.sqrt(s) + eps), m, s


def eps_inside(
    w: np.ndarray, t: int, rate: float, b1: float, b2: float, eps: float, **a: np.ndarray
) -> tuple[np.ndarray, ...]:
    _, m, s = adam_step(w=w, t=t, rate=rate, b1=b1, b2=b2, eps=eps, **a)
    return w - rate * (m / (1 - b1**t)) / np.sqrt(s / (1 - b2**t) + eps), m, s


def counted_from_zero(t: int, **a: np.ndarray) -> tuple[np.ndarray, ...]:
    return adam_step(t=t + 1, **a)  # type: ignore[arg-type]


@st.composite
def steps_of_adam(draw: st.DrawFn) -> Arguments:
    """Two weights well away from 0, their gradient, and the moments before step t."""
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    t = draw(st.integers(1, 9))
    w, g = rng.uniform(2, 3, 2), rng.uniform(0.5, 2, 2) * rng.choice([-1, 1], 2)
    m, s = rng.uniform(0.1, 0.3, 2), rng.uniform(0.1, 0.2, 2)
    settings = {"t": t, "rate": 0.1, "b1": 0.9, "b2": 0.99, "eps": 0.01}
    return {"w": w, "g": g, "m": m if t > 1 else 0 * m, "s": s if t > 1 else 0 * s, **settings}


EXERCISES: dict[str, Asked] = {
    "rows_read": Puzzle(
        "rows_read(first, last, layers) -> first, last",
        windows(),
        rows_read,
        {
            "the last layer is asked first: what it reads, the layer before it has to give": (
                lambda first, last, layers: rows_read(first, last, layers[::-1])
            ),
            "padding moves the image down: row 0 of the image is row p of what the window sees": (
                without_padding
            ),
            "a window at one place reads R rows, from its first to its first + R - 1": (
                without_span
            ),
        },
    ),
    "iou": Puzzle(
        "iou(counts) -> iou",
        confusions(),
        iou,
        {
            "pixels that were called k and are not are missing: this is the share found": (
                lambda counts: np.diagonal(counts) / counts.sum(axis=1)
            ),
            "pixels that are k and were called k stand in the row and in the column: "
            "the union counts them once": (
                lambda counts: np.diagonal(counts) / (counts.sum(axis=0) + counts.sum(axis=1))
            ),
            "this is the Dice score, 2 both / (row + column)": (
                lambda counts: 2 * np.diagonal(counts) / (counts.sum(axis=0) + counts.sum(axis=1))
            ),
        },
        relative=1e-12,
    ),
    "adam_step": Puzzle(
        "adam_step(w, g, m, s, t, rate, b1, b2, eps) -> w, m, s",
        steps_of_adam(),
        adam_step,
        {
            "m and s started at 0, and their weights do not sum to 1 yet: divide by c1 and c2": (
                uncorrected
            ),
            "eps is added to the root, not under it": eps_inside,
            "t counts this step already: the first step has t = 1": counted_from_zero,
        },
        relative=1e-9,
    ),
}
