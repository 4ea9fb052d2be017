"""Of chapter 3."""

from __future__ import annotations

from typing import Any

import numpy as np

from armlab.exercises.mistakes.given import POSITIONS, Mistakes, Steps, largest


def first(dz: Any, x: Any, image: bool = True) -> Any:
    """The first of the largest of each channel gets dz."""
    n, c, h, w = x.shape
    rows, channels = np.ogrid[:n, :c]
    dx = np.zeros((n, c, h * w))
    dx[rows * image, channels, x.reshape(n, c, -1).argmax(axis=2)] = dz[:, :, 0, 0]
    return dx.reshape(x.shape)


def first_channel(dy: Any, x: Any) -> Any:
    return dy * (np.arange(x.shape[1]).reshape(1, -1, 1, 1) == x.argmax(axis=1)[:, None])


def scattered(
    dy: Any, winner: Any, shape: Any, image: int = 1, channel: int = 1, columns: bool = False
) -> Any:
    n, c, h, w = shape
    rows, channels = np.ogrid[:n, :c, :1, :1][:2]
    at = winner % h * w + winner // h if columns else winner
    dx = np.zeros((n, c, h * w))
    np.add.at(dx, (rows * image, channels * channel, at), dy)
    return dx.reshape(shape)


def averaged(dy: Any, winner: Any, shape: Any) -> Any:
    wins = scattered(np.ones_like(dy), winner, shape)
    return scattered(dy, winner, shape) / np.maximum(wins, 1)


MISTAKES: Mistakes = {
    "global_avg_pool": {
        "this is the mean over the channels of each position: the pool leaves channels apart": (
            lambda x: x.mean(axis=1, keepdims=True)
        ),
        "each image has its own mean: nothing is averaged over N": (
            lambda x: x.mean(axis=(0, 2, 3), keepdims=True)
        ),
        "this is one mean for all channels of an image: the pool leaves channels apart": (
            lambda x: x.mean(axis=(1, 2, 3), keepdims=True)
        ),
        "this is the largest value: the pool is the mean": (
            lambda x: x.max(axis=POSITIONS, keepdims=True)
        ),
        "this is the median: half of the values lie above it; the pool is the mean": (
            lambda x: np.median(x, axis=POSITIONS, keepdims=True)
        ),
        "this pools rows and leaves columns: the mean goes over both axes": (
            lambda x: x.mean(axis=2, keepdims=True)
        ),
        "this pools columns and leaves rows: the mean goes over both axes": (
            lambda x: x.mean(axis=3, keepdims=True)
        ),
    },
    "global_max_pool_backward": {
        "this is the largest value of the whole batch: each channel of each image has its own": (
            lambda dz, x: dz * (x == x.max())
        ),
        "this is the largest among the channels: the pool compares positions of one channel": (
            lambda dz, x: dz * largest(x, 1)
        ),
        "an index without its image: what belongs to the others went into the first one": (
            lambda dz, x: first(dz, x, image=False)
        ),
        "this sends dz to the smallest value": lambda dz, x: first(dz, -x),
        "the largest value itself is no part of it: the slope of a maximum is 1 where it is": (
            lambda dz, x: first(dz * x.max(axis=POSITIONS, keepdims=True), x)
        ),
    },
    "max_pool2d_backward": {
        "an index without its image: what belongs to the others went into the first one": (
            lambda **given: scattered(**given, image=0)
        ),
        "an index without its channel: what belongs to the others went into the first one": (
            lambda **given: scattered(**given, channel=0)
        ),
        "an index without its image and channel: everything went into the first of both": (
            lambda **given: scattered(**given, image=0, channel=0)
        ),
        "winner counts row by row, i W + j: i is winner // W, and j is winner % W": (
            lambda **given: scattered(**given, columns=True)
        ),
        "a pixel that wins several windows gets the sum of their gradients, not their mean": (
            averaged
        ),
    },
    "channel_max_backward": {
        "this is the largest among the positions: the maximum is taken over channels": (
            lambda dy, x: dy * largest(x, POSITIONS)
        ),
        "each image has its own maximum: nothing is compared over N": (
            lambda dy, x: dy * largest(x, (0, 1))
        ),
        "this sends dy to the smallest channel": lambda dy, x: first_channel(dy, -x),
    },
}
STEPS: Steps = {}
