"""Chapter 3: pooling."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
from hypothesis import strategies as st

from armlab.check.example import Example
from armlab.exercises.exercise import Arguments, Asked, Exercise, Puzzle


def winning_pixels(e: Example) -> Arguments:
    """Of each window, which pixel of its channel won: row by row, i W + j."""
    torch = importlib.import_module("torch")
    x = np.asarray(e.inputs["x"])
    pool = torch.nn.functional.max_pool2d
    _, winner = pool(torch.tensor(x), **e.options, return_indices=True)
    return {"dy": e.dy, "winner": winner.numpy(), "shape": x.shape}


def power_mean_backward(dz: np.ndarray, x: np.ndarray, p: int) -> np.ndarray:
    """dz / HW for a pixel of the value z, more for larger ones."""
    z = np.mean(x**p, axis=(2, 3), keepdims=True) ** (1 / p)
    dx: np.ndarray = dz / x[0, 0].size * (x / z) ** (p - 1)
    return dx


@st.composite
def positive_features(draw: Any) -> Arguments:
    """Features of small whole numbers with no 0, a gradient for each channel, and a power."""
    shape = tuple(draw(st.integers(1, largest)) for largest in (3, 3, 4, 5))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    dz = rng.integers(1, 9, (*shape[:2], 1, 1)) * rng.choice([-1.0, 1.0], (*shape[:2], 1, 1))
    return {"dz": dz, "x": rng.integers(1, 9, shape).astype(float), "p": draw(st.integers(1, 5))}


EXERCISES: dict[str, Asked] = {
    "global_avg_pool": Exercise(
        "global_avg_pool(x) -> z",
        "global_avg_pool",
        ("y",),
        lambda e: {"x": e.inputs["x"]},
    ),
    "global_max_pool_backward": Exercise(
        "global_max_pool_backward(dz, x) -> dx",
        "global_max_pool",
        ("dx",),
        lambda e: {"dz": e.dy, "x": e.inputs["x"]},
    ),
    "max_pool2d_backward": Exercise(
        "max_pool2d_backward(dy, winner, shape) -> dx",
        "max_pool2d",
        ("dx",),
        winning_pixels,
    ),
    "power_mean_backward": Puzzle(
        "power_mean_backward(dz, x, p) -> dx",
        positive_features(),
        power_mean_backward,
        relative=1e-9,
    ),
    "channel_max_backward": Exercise(
        "channel_max_backward(dy, x) -> dx",
        "channel_max",
        ("dx",),
        lambda e: {"dy": e.dy, "x": e.inputs["x"]},
    ),
}
