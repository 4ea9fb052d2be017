"""Chapter 2: batch normalisation."""

from __future__ import annotations

import numpy as np

from armlab import hand
from armlab.check.example import Example
from armlab.exercises.exercise import Arguments, Asked, Exercise


def with_eps(e: Example) -> Arguments:
    return {**e.inputs, "eps": e.options["eps"]}


def normalised(e: Example) -> Arguments:
    """What the forward has computed on its way: x̂ and r, which lines up with the channels."""
    x, w = (np.asarray(e.inputs[name]) for name in ("x", "w"))
    mean = x.mean(axis=(0, 2, 3), keepdims=True)
    var = ((x - mean) ** 2).mean(axis=(0, 2, 3), keepdims=True)
    r = 1 / np.sqrt(var + e.options["eps"])
    return {"dy": e.dy, "x_hat": (x - mean) * r, "w": w, "r": r[0, :, 0, 0]}


def statistics(e: Example) -> Arguments:
    """What is kept, and mean and variance of the new batch, as it is normalised with them."""
    assert e.state is not None
    x = np.asarray(e.inputs["x"])
    ones, zeros = np.ones(x.shape[1]), np.zeros(x.shape[1])
    (_, mean, var), _ = hand.batch_norm(x, ones, zeros)
    kept = {name: e.state[name] for name in ("running_mean", "running_var")}
    m = x.size // x.shape[1]
    return {**kept, "mean": mean, "var": var, "m": m, "momentum": e.options["momentum"]}


EXERCISES: dict[str, Asked] = {
    "batch_norm_forward": Exercise(
        "batch_norm_forward(x, w, b, eps) -> y, mean, var",
        "batch_norm",
        ("y", "mean", "var"),
        with_eps,
    ),
    "batch_norm_backward": Exercise(
        "batch_norm_backward(dy, x_hat, w, r) -> dx, dw, db",
        "batch_norm",
        ("dx", "dw", "db"),
        normalised,
    ),
    "running_statistics": Exercise(
        "running_statistics(running_mean, running_var, mean, var, m, momentum) "
        "-> running_mean, running_var",
        "BatchNorm2d",
        ("running_mean", "running_var"),
        statistics,
        fits=lambda e: e.training,
    ),
}
