"""Of chapter 0."""

from typing import Any

import numpy as np

from first_tries.answer import Tries


def left(f: Any, x: Any, v: Any, dy: Any, h: Any) -> Any:
    return np.vdot(f(x + h * v)[0] - f(x - h * v)[0], dy) / (2 * h)


def right(f: Any, x: Any, v: Any, dy: Any, h: Any) -> Any:
    return np.vdot(v, f(x)[1](dy))


def one_sided(f: Any, x: Any, v: Any, dy: Any, h: Any) -> Any:
    y, backward = f(x)
    return ((f(x + h * v)[0] - y) / h * dy).sum(), (v * backward(dy)).sum()


def from_ahead(f: Any, x: Any, v: Any, dy: Any, h: Any) -> Any:
    behind, _ = f(x - h * v)
    ahead, backward = f(x + h * v)
    return ((ahead - behind) / (2 * h) * dy).sum(), (v * backward(dy)).sum()


def of_ones(f: Any, x: Any, v: Any, dy: Any, h: Any) -> Any:
    ones = np.ones_like(dy)
    return left(f, x, v, ones, h), right(f, x, v, ones, h)


TRIES: Tries = {
    "relu_backward": {
        "the mask without dy": lambda dy, x: (x > 0).astype(float),
        "the forward of dy": lambda dy, x: np.maximum(dy, 0),
        "dy as it came": lambda dy, x: dy.copy(),
        "the value in place of the slope": lambda dy, x: dy * np.maximum(x, 0),
        "times x": lambda dy, x: dy * x,
        "negative places": lambda dy, x: dy * (x < 0),
        "one at 0": lambda dy, x: np.where(x < 0, 0.0, dy),
        "half at 0": lambda dy, x: dy * np.heaviside(x, 0.5),
        "the forward": lambda dy, x: np.maximum(x, 0),
        "the sign": lambda dy, x: dy * np.sign(x),
    },
    "bias_backward": {
        "the mean over all": lambda dy: dy.mean(axis=(0, 2, 3)),
        "the batch is left": lambda dy: dy.sum(axis=(2, 3)),
        "the first image": lambda dy: dy[0].sum(axis=(1, 2)),
        "kept axes": lambda dy: dy.sum(axis=(0, 2, 3), keepdims=True),
        "the batch alone": lambda dy: dy.sum(axis=0),
        "everything": lambda dy: dy.sum(),
        "over channels": lambda dy: dy.sum(axis=(1, 2, 3)),
        "a mean over images": lambda dy: dy.sum(axis=(0, 2, 3)) / dy.shape[0],
        "a mean over positions": lambda dy: dy.mean(axis=(2, 3)).sum(axis=0),
        "one axis of the image": lambda dy: dy.sum(axis=(0, 2))[:, 0],
    },
    "global_avg_pool_backward": {
        "no share": lambda dz, shape: dz * np.ones(shape),
        "a share of the batch too": lambda dz, shape: np.broadcast_to(
            dz / (shape[0] * shape[2] * shape[3]), shape
        ),
        "a share of the channels too": lambda dz, shape: np.broadcast_to(
            dz / np.prod(shape[1:]), shape
        ),
        "H alone": lambda dz, shape: np.broadcast_to(dz / shape[2], shape),
        "times the pixels": lambda dz, shape: np.broadcast_to(dz * shape[2] * shape[3], shape),
        "not spread": lambda dz, shape: dz / (shape[2] * shape[3]),
        "the first pixel": lambda dz, shape: np.pad(
            dz, ((0, 0), (0, 0), (0, shape[2] - 1), (0, shape[3] - 1))
        ),
        "a quarter": lambda dz, shape: np.broadcast_to(dz / 4, shape),
    },
    "adjoint_sides": {
        "over h": lambda **given: (2 * left(**given), right(**given)),
        "ahead alone": one_sided,
        "not divided": lambda **given: (2 * given["h"] * left(**given), right(**given)),
        "exchanged": lambda **given: (right(**given), left(**given)),
        "behind less ahead": lambda **given: (-left(**given), right(**given)),
        "the backward of ahead": from_ahead,
        "dy of ones": of_ones,
        "all of v": lambda f, x, v, dy, h: (
            np.sum((f(x + v)[0] - f(x - v)[0]) / (2 * h) * dy),
            np.sum(v * f(x)[1](dy)),
        ),
        "v forgotten": lambda f, x, v, dy, h: (left(f, x, v, dy, h), f(x)[1](dy).sum()),
        "a mean": lambda **given: (
            left(**given) / given["dy"].size,
            right(**given) / given["v"].size,
        ),
        "one of them for both": lambda **given: (right(**given), right(**given)),
    },
}
