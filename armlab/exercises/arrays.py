"""Lesson 0: what a backward is."""

from __future__ import annotations

import numpy as np

from armlab.exercises.exercise import Asked, Exercise

EXERCISES: dict[str, Asked] = {
    "relu_backward": Exercise(
        "relu_backward(dy, x) -> dx",
        "relu",
        ("dx",),
        lambda e: {"dy": e.dy, "x": e.inputs["x"]},
    ),
    "bias_backward": Exercise(
        "bias_backward(dy) -> db",
        "conv2d",
        ("db",),
        lambda e: {"dy": e.dy},
        fits=lambda e: e.inputs["b"] is not None,
    ),
    "global_avg_pool_backward": Exercise(
        "global_avg_pool_backward(dz, shape) -> dx",
        "global_avg_pool",
        ("dx",),
        lambda e: {"dz": e.dy, "shape": np.asarray(e.inputs["x"]).shape},
    ),
}
