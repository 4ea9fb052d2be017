"""Of chapter 3."""

from typing import Any

import numpy as np

from wrong_answers.answer import Wrong


def with_one_write_a_window(dy: Any, winner: Any, shape: Any) -> Any:
    """NumPy keeps the last of several writes to one place, with += as well."""
    n, c, h, w = shape
    dx = np.zeros(n * c * h * w)
    image = np.arange(n * c).reshape(n, c, 1, 1)
    dx[(image * h * w + winner).ravel()] += dy.ravel()
    return dx.reshape(shape)


def winning(x: Any, axis: Any) -> Any:
    return x == x.max(axis=axis, keepdims=True)


def gradient_of_power_mean(dz: Any, x: Any, p: int, lower: int = 1) -> Any:
    """Right, or with x to a power that is not lower by 1."""
    t = (x**p).mean(axis=(2, 3), keepdims=True)
    return dz / (x.shape[2] * x.shape[3]) * t ** (1 / p - 1) * x ** (p - lower)


WRONG: Wrong = {
    "global_avg_pool": [
        (lambda x: x.mean(axis=(), keepdims=True), "nothing was pooled"),
        (lambda x: x.sum(axis=(2, 3), keepdims=True), "grows with the size of the image"),
    ],
    "global_max_pool_backward": [
        (lambda dz, x: dz * winning(x, (2, 3)), "the first alone receives the gradient"),
        (
            lambda dz, x: (
                dz * winning(x, (2, 3)) / winning(x, (2, 3)).sum(axis=(2, 3), keepdims=True)
            ),
            "ties share the gradient",
        ),
    ],
    "max_pool2d_backward": [(with_one_write_a_window, "only the last value stays")],
    "power_mean_backward": [
        (lambda dz, x, p: gradient_of_power_mean(dz, x, p, lower=0), "its power is lower by 1"),
        (lambda dz, x, p: p * gradient_of_power_mean(dz, x, p), "has the factor 1 / p"),
        (
            lambda dz, x, p: x.shape[2] * x.shape[3] * gradient_of_power_mean(dz, x, p),
            "share of 1 / HW",
        ),
    ],
    "channel_max_backward": [
        (lambda dy, x: dy * winning(x, 1), "each of them gets the whole gradient"),
        (
            lambda dy, x: dy * winning(x, 1) / winning(x, 1).sum(axis=1, keepdims=True),
            "torch.amax would share it",
        ),
    ],
}
