"""Of chapter 2."""

from typing import Any

import numpy as np

from first_tries.answer import Tries

AXES = (0, 2, 3)


def along(v: Any) -> Any:
    return np.reshape(v, (1, -1, 1, 1))


def forward(x: Any, w: Any, b: Any, eps: float, axes: Any = AXES, **other: Any) -> Any:
    mean = x.mean(axis=axes, keepdims=True)
    var = ((x - mean) ** 2).mean(axis=axes, keepdims=True)
    root = other.get("root", lambda v: np.sqrt(v + eps))(var)
    y = along(w) * (x - mean) / root + along(b)
    return y, mean.reshape(other.get("shape", -1)), var.reshape(other.get("shape", -1))


def no_mean(x: Any, w: Any, b: Any, eps: float) -> Any:
    _, mean, var = forward(x, w, b, eps)
    return along(w) * x / along(np.sqrt(var + eps)) + along(b), mean, var


def affine(x: Any, w: Any, b: Any, eps: float, scale: bool = True, shift: bool = True) -> Any:
    one = np.ones_like(w)
    return forward(x, w if scale else one, b if shift else 0 * one, eps)


def squares(x: Any, w: Any, b: Any, eps: float) -> Any:
    mean = x.mean(axis=AXES)
    var = np.maximum((x**2).mean(axis=AXES) - mean**2, 0)
    return along(w) * (x - along(mean)) / along(np.sqrt(var + eps)) + along(b), mean, var


def of_each_image(x: Any, w: Any, b: Any, eps: float) -> Any:
    y, mean, var = forward(x, w, b, eps, axes=(2, 3))
    return y, mean.reshape(len(x), -1).mean(0), var.reshape(len(x), -1).mean(0)


def backward(dy: Any, x_hat: Any, w: Any, r: Any, **other: Any) -> Any:
    m = other.get("m", dy.size / dy.shape[1])
    dw, db = (dy * x_hat).sum(axis=AXES), dy.sum(axis=AXES)
    left = dy - along(db) / m - x_hat * along(dw) / m
    return along(other.get("scale", w * r)) * left, dw, db


def kept(
    running_mean: Any, running_var: Any, mean: Any, var: Any, m: int, momentum: float, **other: Any
) -> Any:
    share = other.get("share", momentum)
    unbiased = other.get("unbiased", m / (m - 1))
    mixed = (1 - share) * running_mean + share * mean
    return mixed, (1 - share) * running_var + share * unbiased * var


TRIES: Tries = {
    "batch_norm_forward": {
        "eps outside": lambda **given: forward(**given, root=lambda v: np.sqrt(v) + given["eps"]),
        "no eps": lambda **given: forward(**given, root=lambda v: np.sqrt(np.maximum(v, 1e-30))),
        "no root": lambda **given: forward(**given, root=lambda v: v + given["eps"]),
        "each image": of_each_image,
        "no mean": no_mean,
        "no shift": lambda **given: affine(**given, shift=False),
        "no scale": lambda **given: affine(**given, scale=False),
        "difference of squares": squares,
        "kept axes": lambda **given: forward(**given, shape=(1, -1, 1, 1)),
        "deviation for variance": lambda **given: next(
            (y, mean, np.sqrt(var)) for y, mean, var in [forward(**given)]
        ),
        "unbiased": lambda x, w, b, eps: next(
            (y, mean, var * m / max(m - 1, 1))
            for y, mean, var in [forward(x, w, b, eps)]
            for m in [x.size // x.shape[1]]
        ),
        "statistics exchanged": lambda **given: next(
            (y, var, mean) for y, mean, var in [forward(**given)]
        ),
    },
    "batch_norm_backward": {
        "no way through statistics": lambda dy, x_hat, w, r: (
            along(w * r) * dy,
            (dy * x_hat).sum(AXES),
            dy.sum(AXES),
        ),
        "no w": lambda **given: backward(**given, scale=given["r"]),
        "no r": lambda **given: backward(**given, scale=given["w"]),
        "divided by r": lambda **given: backward(**given, scale=given["w"] / given["r"]),
        "N for m": lambda **given: backward(**given, m=len(given["dy"])),
        "positions for m": lambda **given: backward(**given, m=given["dy"][0, 0].size),
        "means of dw and db": lambda dy, x_hat, w, r: next(
            (dx, dw * dy.shape[1] / dy.size, db * dy.shape[1] / dy.size)
            for dx, dw, db in [backward(dy, x_hat, w, r)]
        ),
        "dw of dy": lambda dy, x_hat, w, r: next(
            (dx, db, db) for dx, dw, db in [backward(dy, x_hat, w, r)]
        ),
        "dw and db exchanged": lambda **given: next(
            (dx, db, dw) for dx, dw, db in [backward(**given)]
        ),
        "dw with w": lambda dy, x_hat, w, r: next(
            (dx, w * dw, db) for dx, dw, db in [backward(dy, x_hat, w, r)]
        ),
    },
    "running_statistics": {
        "the share of the old": lambda **given: kept(**given, share=1 - given["momentum"]),
        "biased": lambda **given: kept(**given, unbiased=1),
        "the wrong way round": lambda **given: kept(
            **given, unbiased=(given["m"] - 1) / given["m"]
        ),
        "the new ones": lambda running_mean, running_var, mean, var, m, momentum: (
            mean,
            var * m / (m - 1),
        ),
        "added": lambda running_mean, running_var, mean, var, m, momentum: (
            running_mean + momentum * mean,
            running_var + momentum * var * m / (m - 1),
        ),
        "halves": lambda **given: kept(**given, share=0.5),
        "the old ones": lambda running_mean, running_var, **_: (running_mean + 0, running_var + 0),
    },
}
