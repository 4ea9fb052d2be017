"""Of lesson 11."""

import math
from typing import Any

import numpy as np

from armlab.arrays import array_namespace
from wrong_answers.answer import Wrong


def norm_of(g: Any) -> Any:
    xp = array_namespace(g)
    return xp.sqrt(xp.sum(g * g))


def rows_of(s: Any, rows: Any) -> Any:
    xp = array_namespace(s)
    weight = xp.sum(s, axis=(1, 3))
    return xp.sum(weight * rows, axis=1) / xp.sum(weight, axis=1)


def floor(n: int, c: int, k: int, h: int, w: int) -> tuple[float, float]:
    compute = 2 * 9 * n * c * k * h * w / 50e12 * 1e6
    return compute, 4 * (n * (c + k) * h * w + 9 * c * k) / 3.0e12 * 1e6


WRONG: Wrong = {
    "clip_gradient": [
        (lambda g, limit: g * min(1.0, limit / max(1e-9, float(norm_of(g)))), "leave the norm"),
        (lambda g, limit: g if norm_of(g) <= limit else g * (limit / norm_of(g)), "`if` wants"),
        (lambda g, limit: g * (limit / np.maximum(np.linalg.norm(g), limit)), "np names"),
    ],
    "attended_row": [
        (
            lambda s: rows_of(s, array_namespace(s).arange(s.shape[2], dtype=s.dtype)),
            "say device=s.device",
        ),
        (
            lambda s: rows_of(s, array_namespace(s).arange(s.shape[2], device=s.device)),
            "say dtype=s.dtype",
        ),
    ],
    "sgd_step": [
        (
            lambda w, g, step, steps, base: w - np.float64(base) * g * (1 + math.cos(0)) / 2,
            "np.cos returns a np.float64",
        ),
        (
            lambda w, g, step, steps, base: w - (base / 2 * np.cos(np.pi * step / steps) + 1) * g,
            "np.cos returns a np.float64",
        ),
    ],
    "conv_floor": [
        (lambda **e: (floor(**e)[0] / 2, floor(**e)[1]), "a multiply-add is two operations"),
        (lambda **e: (floor(**e)[0], floor(**e)[1] / 4), "a float32 has 4 bytes"),
    ],
}
