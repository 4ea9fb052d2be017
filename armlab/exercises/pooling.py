"""Lesson 3: pooling."""

from __future__ import annotations

import importlib

import numpy as np

from armlab.check.example import Example
from armlab.exercises.exercise import Arguments, Asked, Exercise


def winning_pixels(e: Example) -> Arguments:
    """Of each window, which pixel of its channel won: row by row, i W + j."""
    torch = importlib.import_module("torch")
    x = np.asarray(e.inputs["x"])
    pool = torch.nn.functional.max_pool2d
    _, winner = pool(torch.tensor(x), **e.options, return_indices=True)
    return {"dy": e.dy, "winner": winner.numpy(), "shape": x.shape}


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
    "channel_max_backward": Exercise(
        "channel_max_backward(dy, x) -> dx",
        "channel_max",
        ("dx",),
        lambda e: {"dy": e.dy, "x": e.inputs["x"]},
    ),
}
