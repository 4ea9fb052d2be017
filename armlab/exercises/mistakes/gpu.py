"""Of chapter 11."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from armlab.arrays import array_namespace
from armlab.exercises.channel_dot import RIGHT
from armlab.exercises.mistakes.given import Mistakes, Steps
from armlab.exercises.tf32 import DROPPED, by_integer, round_to_tf32, with_mantissa


def norm(g: Any) -> Any:
    return array_namespace(g).sqrt(array_namespace(g).sum(g * g))


def limited(size: Any, limit: float) -> Any:
    """The larger of a size, which is an array, and the limit."""
    return array_namespace(size).maximum(size, 0 * size + limit)


def row(s: Any, first: int = 0, by: Any = None, axes: Any = (1, 3)) -> Any:
    xp = array_namespace(s)
    rows = xp.arange(s.shape[2 if axes == (1, 3) else 3], dtype=s.dtype, device=s.device) + first
    weight = xp.sum(s, axis=axes)
    return xp.sum(weight * rows, axis=1) / (xp.sum(weight, axis=1) if by is None else by)


def strongest(s: Any) -> Any:
    xp = array_namespace(s)
    return xp.astype(xp.argmax(xp.sum(s, axis=(1, 3)), axis=1), s.dtype)


def descent(factor: Any) -> Any:
    """A step with another schedule, of step / steps."""
    return lambda w, g, step, steps, base: w - base * factor(step / steps) * g


def cosine(share: float) -> float:
    return (1 + math.cos(math.pi * share)) / 2


def late(w: Any, g: Any, step: int, steps: int, base: float) -> Any:
    return descent(cosine)(w, g, step + 1, steps, base)


def bytes_moved(of: Any) -> Any:
    """The two times from (input, output, weights), for each its count of numbers."""

    def answer(n: int, c: int, k: int, h: int, w: int) -> Any:
        work = 2 * 9 * n * c * k * h * w
        numbers = of(n, n * c * h * w, n * k * h * w, 9 * c * k)
        return 1e6 * work / 50e12, 1e6 * 4 * numbers / 3e12

    return answer


MISTAKES: Mistakes = {
    "channel_dot": {
        "every block works on the first channel: blockIdx.x says which is its own": (
            lambda: RIGHT.replace("blockIdx.x", "0")
        ),
        "ds is Σ dy x: this adds the two where it should multiply": (
            lambda: RIGHT.replace(" * x[", " + x[")
        ),
    },
    "round_to_tf32": {
        "this rounds to three decimals: the 10 bits are binary, and counted from the leading one": (
            lambda x: np.round(x, 3)
        ),
        "this is bfloat16, which keeps 7 bits": with_mantissa(np.rint, 7),
        "this rounds up, negative numbers too: take the nearest": with_mantissa(np.ceil),
        "this rounds down, negative numbers away from 0: take the nearest": with_mantissa(np.floor),
        "nothing is rounded: this is x": lambda x: x,
        "this is what rounding has done to x: return what x has become": lambda x: (
            round_to_tf32(x) - x
        ),
        "the mantissa is rounded, but its exponent is gone: np.ldexp puts it back": lambda x: (
            np.ldexp(round_to_tf32(x), -np.frexp(x)[1])
        ),
        "these are the bits as a whole number: .view(np.float32) makes a float32 of them": (
            lambda x: x.view(np.int32) & np.int32(-1 << DROPPED)
        ),
        "10 bits are dropped and 13 stay, which is the other way round; and what is dropped "
        "may be more than half": by_integer(0, -1 << 10),
    },
    "clip_gradient": {
        "a gradient that is short enough stays as it is: this always has the length of the limit": (
            lambda g, limit: g * (limit / norm(g))
        ),
        "the length of the whole gradient is limited, so that its direction stays: "
        "this limits each element": lambda g, limit: array_namespace(g).clip(g, -limit, limit),
        "the length is the root of the sum of squares: the root is missing": lambda g, limit: (
            g * (limit / limited(norm(g) ** 2, limit))
        ),
        "the length is the root of the sum of squares, not of their mean": lambda g, limit: (
            g * (limit / limited(array_namespace(g).sqrt(array_namespace(g).mean(g * g)), limit))
        ),
        "the length is the root of the sum of squares: this is the largest element": (
            lambda g, limit: (
                g * (limit / limited(array_namespace(g).max(array_namespace(g).abs(g)), limit))
            )
        ),
        "the factor is limit / norm: this is upside down": lambda g, limit: (
            g * (limited(norm(g), limit) / limit)
        ),
    },
    "attended_row": {
        "rows count from 0": lambda s: row(s, first=1),
        "a weighted mean divides by the sum of its weights, and this by nothing": (
            lambda s: row(s, by=1)
        ),
        "a weighted mean divides by the sum of its weights: this divides by H": (
            lambda s: row(s, by=s.shape[2])
        ),
        "this is the mean column: rows are axis 2": lambda s: row(s, axes=(1, 2)),
        "this is the row with the largest weight: the mean lies between rows": strongest,
        "each image has its own row: this is one for all of them": lambda s: (
            0 * row(s) + array_namespace(s).mean(row(s))
        ),
    },
    "sgd_step": {
        "the step goes against the gradient: subtract it": descent(lambda share: -cosine(share)),
        "(1 + cos) runs from 2 to 0: halve it": descent(lambda share: 2 * cosine(share)),
        "the rate falls like a cosine: this is a straight line": descent(lambda share: 1 - share),
        "cos runs through half a turn: π is missing": descent(
            lambda share: (1 + math.cos(share)) / 2
        ),
        "the 1 is missing: cos alone runs from 1 to −1": descent(
            lambda share: math.cos(math.pi * share) / 2
        ),
        "the rate begins at base and falls: this rises": descent(lambda share: 1 - cosine(share)),
        "the first step is step 0, which has the whole rate: this is one further": late,
        "this is the step: return what is left of w behind it": (
            lambda w, g, step, steps, base: base * cosine(step / steps) * g
        ),
    },
    "conv_floor": {
        "what is computed has to be written as well: y is missing": (
            bytes_moved(lambda n, x, y, weights: x + weights)
        ),
        "what is computed from has to be read: x is missing": (
            bytes_moved(lambda n, x, y, weights: y + weights)
        ),
        "the weights are read once for all images": (
            bytes_moved(lambda n, x, y, weights: x + y + n * weights)
        ),
    },
}
STEPS: Steps = {}
