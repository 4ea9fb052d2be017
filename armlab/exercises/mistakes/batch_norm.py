"""Of chapter 2."""

from __future__ import annotations

from typing import Any

import numpy as np

from armlab.exercises.mistakes.given import BATCH, Mistakes, Steps, over


def row(v: Any) -> Any:
    return np.reshape(v, (1, -1, 1, 1))


def forward(x: Any, w: Any, b: Any, eps: float, axes: Any = BATCH, **other: Any) -> Any:
    mean = x.mean(axis=axes, keepdims=True)
    var = ((x - mean) ** 2).mean(axis=axes, keepdims=True)
    root = other.get("root", np.sqrt)(var + eps)
    y = row(w) * (x if other.get("as_is") else x - mean) / root + row(b)
    return y, *(v.mean(axis=BATCH) for v in (mean, var))


def of_squares(x: Any, w: Any, b: Any, eps: float) -> Any:
    """The formula that cancels; what is left may be negative."""
    mean = x.mean(axis=BATCH)
    var = np.maximum((x**2).mean(axis=BATCH) - mean**2, 0)
    return row(w) * (x - row(mean)) / row(np.sqrt(var + eps)) + row(b), mean, var


def unbiased(x: Any, **given: Any) -> Any:
    y, mean, var = forward(x, **given)
    m = x.size // x.shape[1]
    return y, mean, var * m / max(m - 1, 1)


def steps(dy: Any, x_hat: Any, w: Any, r: Any) -> dict[str, Any]:
    dw, db = over(BATCH, dy * x_hat), over(BATCH, dy)
    m, scale = dy.size / dy.shape[1], row(w * r)
    return {
        "dy w r, the direct way": scale * dy,
        "w r db / m, the way through the mean": scale * db / m + 0 * dy,
        "w r x_hat dw / m, the way through the variance": scale * x_hat * dw / m,
    }


def backward(dy: Any, x_hat: Any, w: Any, r: Any, scale: Any = None, m: Any = None) -> Any:
    dw, db = over(BATCH, dy * x_hat), over(BATCH, dy)
    m = dy.size / dy.shape[1] if m is None else m
    left = dy - db / m - x_hat * dw / m
    return row(w * r if scale is None else scale) * left, dw.ravel(), db.ravel()


def kept(running: Any, new: Any, momentum: float) -> Any:
    return (1 - momentum) * running + momentum * new


MISTAKES: Mistakes = {
    "batch_norm_forward": {
        "divide by the root of the variance: this divided by the variance itself": (
            lambda **given: forward(**given, root=lambda v: v)
        ),
        "the mean has to be subtracted before the division": (
            lambda **given: forward(**given, as_is=True)
        ),
        "mean(x²) − mean² cancels where the mean is large: take mean((x − mean)²)": of_squares,
        "the variance of the batch divides by m here; m − 1 is for the running one": unbiased,
        "one mean for all images of the batch: this took one for each of them": (
            lambda **given: forward(**given, axes=(2, 3))
        ),
        "one mean for each channel: this took one for all of them": (
            lambda **given: forward(**given, axes=(0, 1, 2, 3))
        ),
    },
    "batch_norm_backward": {
        "the statistics move with every x: without them dx is dy w r, and that is not all": (
            lambda dy, x_hat, w, r: (row(w * r) * dy, *backward(dy, x_hat, w, r)[1:])
        ),
        "multiply by r, which is 1 / root already: this divides by it": (
            lambda **given: backward(**given, scale=given["w"] / given["r"])
        ),
        "the mean is over N H W values, and this divided by N": (
            lambda **given: backward(**given, m=len(given["dy"]))
        ),
        "the mean is over N H W values, and this divided by H W": (
            lambda **given: backward(**given, m=given["dy"][0, 0].size)
        ),
        "dw is the gradient of w: w itself is no part of Σ dy x_hat": lambda w, **given: [
            (dx, w * dw, db) for dx, dw, db in [backward(w=w, **given)]
        ].pop(),
    },
    "running_statistics": {
        "m / (m − 1) makes the variance larger: this is upside down": (
            lambda running_mean, running_var, mean, var, m, momentum: (
                kept(running_mean, mean, momentum),
                kept(running_var, var * (m - 1) / m, momentum),
            )
        ),
        "the old share is 1 − momentum: here all of the old is kept, and the new added": (
            lambda running_mean, running_var, mean, var, m, momentum: (
                running_mean + momentum * mean,
                running_var + momentum * var * m / (m - 1),
            )
        ),
    },
}
STEPS: Steps = {"batch_norm_backward": steps}
