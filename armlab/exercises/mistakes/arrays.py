"""Of lesson 0."""

from __future__ import annotations

import numpy as np

from armlab.exercises.mistakes.given import Mistakes, Steps, over

MISTAKES: Mistakes = {
    "relu_backward": {
        "the slope of ReLU is 1 or 0, and x itself is not in it": lambda dy, x: dy * x,
        "this passes dy on where x is negative: ReLU is the identity where x > 0": (
            lambda dy, x: dy * (x < 0)
        ),
        "for negative x the slope is 0, not -1: the sign of x is not its slope": (
            lambda dy, x: dy * np.sign(x)
        ),
        "the gradient comes from above: this is the forward, and dy is not in it": (
            lambda dy, x: np.maximum(x, 0)
        ),
    },
    "bias_backward": {
        "this is the first image alone: one b[k] feeds all images, so sum over N as well": (
            lambda dy: dy[0].sum(axis=(1, 2))
        ),
        "this is a mean over positions: b[k] is added at each of them, so their gradients add up": (
            lambda dy: dy.mean(axis=(2, 3)).sum(axis=0)
        ),
        "b[k] belongs to a channel: sum over N, H and W, and leave the channels apart": (
            lambda dy: dy.sum(axis=(1, 2, 3))
        ),
        "one column of the image is not all of it: sum over H and over W": (
            lambda dy: dy.sum(axis=(0, 2))[:, 0]
        ),
        "one row of the image is not all of it: sum over H and over W": (
            lambda dy: dy.sum(axis=(0, 3))[:, 0]
        ),
    },
    "global_avg_pool_backward": {
        "every pixel was in the mean, not the first alone: each gets dz / (H W)": (
            lambda dz, shape: np.pad(dz, [(0, 0), (0, 0)] + [(0, n - 1) for n in shape[2:]])
        ),
    },
}
STEPS: Steps = {
    "relu_backward": lambda dy, x: {"the mask x > 0": (x > 0) * 1.0},
    "global_avg_pool_backward": lambda dz, shape: {"the mean of dz over N": over(0, dz)},
}
