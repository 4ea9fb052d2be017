"""Of lesson 3."""

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
    "channel_max_backward": [
        (lambda dy, x: dy * winning(x, 1), "each of them gets the whole gradient"),
        (
            lambda dy, x: dy * winning(x, 1) / winning(x, 1).sum(axis=1, keepdims=True),
            "torch.amax would share it",
        ),
    ],
}
