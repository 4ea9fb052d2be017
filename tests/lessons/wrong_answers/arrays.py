"""Of lesson 0."""

import numpy as np

from wrong_answers.answer import Wrong

WRONG: Wrong = {
    "relu_backward": [
        (lambda dy, x: np.where(dy > 0, dy, 0.0), "the sign of x, not that of dy"),
        (lambda dy, x: dy * (x >= 0), "at x = 0 the convention"),
    ],
    "bias_backward": [
        (lambda dy: dy.sum(axis=(2, 3)).mean(axis=0), "their sum, not their mean"),
    ],
    "global_avg_pool_backward": [
        (lambda dz, shape: np.broadcast_to(dz, shape), "share of 1 / HW"),
    ],
}
