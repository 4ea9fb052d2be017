"""Of chapter 2."""

from typing import Any

import numpy as np

from wrong_answers.answer import Wrong

AXES = (0, 2, 3)


def per_channel(v: Any) -> Any:
    return v.reshape(1, -1, 1, 1)


def forward(x: Any, w: Any, b: Any, r_of: Any, ddof: int = 0) -> Any:
    mean, var = x.mean(axis=AXES), x.var(axis=AXES, ddof=ddof)
    y = per_channel(w * r_of(var)) * (x - per_channel(mean)) + per_channel(b)
    return y, mean, var


def backward(dy: Any, x_hat: Any, w: Any, r: Any, mean: float = 1, var: float = 1) -> Any:
    """Right, or with another share of the two ways through the statistics."""
    m = dy.size / dy.shape[1]
    dw, db = (dy * x_hat).sum(axis=AXES), dy.sum(axis=AXES)
    left = dy - mean * per_channel(db / m) - var * x_hat * per_channel(dw / m)
    return per_channel(w * r) * left, dw, db


def without_1_over_m(dy: Any, **given: Any) -> Any:
    return backward(dy, **given, var=dy.size / dy.shape[1])


def kept(running_mean: Any, running_var: Any, mean: Any, var: Any, m: int, momentum: float) -> Any:
    return tuple(
        (1 - momentum) * old + momentum * new
        for old, new in [(running_mean, mean), (running_var, var * m / (m - 1))]
    )


WRONG: Wrong = {
    "batch_norm_forward": [
        (
            lambda x, w, b, eps: forward(x, w, b, lambda var: 1 / (np.sqrt(var) + eps)),
            "eps stands inside the root",
        ),
        (
            lambda x, w, b, eps: forward(x, w, b, lambda var: 1 / np.sqrt(var + eps), ddof=1),
            "the batch is divided by m",
        ),
    ],
    "batch_norm_backward": [
        (lambda **given: backward(**given, mean=0), "the mean moves with every x"),
        (lambda **given: backward(**given, var=0), "the variance moves with every x"),
        (without_1_over_m, "the share of each x in the variance is 1/m"),
    ],
    "running_statistics": [
        (
            lambda momentum, **given: kept(**given, momentum=1 - momentum),
            "momentum is the share of the new batch",
        ),
        (
            lambda var, m, **given: kept(**given, var=var * (m - 1) / m, m=m),
            "the running variance is the unbiased one",
        ),
    ],
}
