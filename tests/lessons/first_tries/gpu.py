"""Of chapter 11."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from armlab.arrays import array_namespace
from first_tries.answer import Tries

ONE_THREAD = """
extern "C" __global__ void channel_dot(const float* dy, const float* x, float* ds, int pixels) {
    int c = blockIdx.x;
    if (threadIdx.x == 0) {
        float total = 0;
        for (int i = 0; i < pixels; i++) total += dy[c * pixels + i] * x[c * pixels + i];
        ds[c] = total;
    }
}
"""


def serial(*changes: tuple[str, str]) -> Callable[[], str]:
    """The kernel of one working thread, with mistakes."""
    text = ONE_THREAD
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return lambda: text


def norm(g: Any) -> Any:
    return array_namespace(g).sqrt(array_namespace(g).sum(g * g))


def row(s: Any, **other: Any) -> Any:
    xp = array_namespace(s)
    i = xp.arange(s.shape[2], dtype=s.dtype, device=s.device) + other.get("first", 0)
    w = other.get("weights", lambda s: xp.sum(s, axis=(1, 3)))(s)
    total = xp.sum(w * i, axis=1)
    return total / other.get("by", lambda w: xp.sum(w, axis=1))(w)


def cosine(step: int, steps: int) -> float:
    return (1 + math.cos(math.pi * step / steps)) / 2


def floor(n: int, c: int, k: int, h: int, w: int, **other: Any) -> Any:
    work = other.get("flops", 2) * other.get("window", 9) * n * c * k * h * w
    numbers = n * c * h * w + other.get("out", n * k * h * w) + other.get("weights", 9 * c * k)
    micro = other.get("micro", 1e6)
    return micro * work / 50e12, micro * other.get("bytes", 4) * numbers / 3e12


TRIES: Tries = {
    "channel_dot": {
        "every thread adds": serial(
            ("    if (threadIdx.x == 0) {", "    {"), ("ds[c] = total", "atomicAdd(&ds[c], total)")
        ),
        "no x": serial((" * x[c * pixels + i]", "")),
        "one pixel too many": serial(("i < pixels", "i <= pixels")),
        "a mean": serial(("= total", "= total / pixels")),
        "the first channel": serial(("int c = blockIdx.x;", "int c = 0;")),
        "a sum of both": serial(
            ("dy[c * pixels + i] * x[c * pixels + i]", "dy[c * pixels + i] + x[c * pixels + i]")
        ),
    },
    "round_to_tf32": {
        "cut off": lambda x: (x.view(np.int32) >> 13 << 13).view(np.float32),
        "half added": lambda x: ((x.view(np.int32) + (1 << 12)) >> 13 << 13).view(np.float32),
        "half, not cut": lambda x: (x.view(np.int32) + (1 << 12)).view(np.float32),
        "ten drops": lambda x: (x.view(np.int32) >> 10 << 10).view(np.float32),
        "float16": lambda x: x.astype("float16").astype("float32"),
        "three decimals": lambda x: np.round(x, 3),
        "ten behind the point": lambda x: np.round(x * 1024) / 1024,
        "the mantissa alone": lambda x: np.rint(np.frexp(x)[0] * 2048) / 2048,
        "nine bits": lambda x: np.ldexp(np.rint(np.frexp(x)[0] * 1024), np.frexp(x)[1] - 10),
        "the integer": lambda x: x.view(np.int32) >> 13 << 13,
        "float64": lambda x: x.astype(np.float64),
    },
    "clip_gradient": {
        "float": lambda g, limit: g * min(1.0, limit / (float(norm(g)) or 1.0)),
        "if": lambda g, limit: g * (limit / norm(g)) if norm(g) > limit else g,
        "numpy": lambda g, limit: g * np.minimum(1.0, limit / np.linalg.norm(g)),
        "always": lambda g, limit: g * (limit / norm(g)),
        "each element": lambda g, limit: array_namespace(g).clip(g, -limit, limit),
        "no root": lambda g, limit: (
            g * (limit / array_namespace(g).maximum(norm(g) ** 2, 0 * norm(g) + limit))
        ),
        "the mean of squares": lambda g, limit: (
            g
            * (
                limit
                / array_namespace(g).maximum(
                    array_namespace(g).sqrt(array_namespace(g).mean(g * g)), 0 * norm(g) + limit
                )
            )
        ),
        "the factor": lambda g, limit: (
            limit / array_namespace(g).maximum(norm(g), 0 * norm(g) + limit)
        ),
        "the largest element": lambda g, limit: (
            g
            * (
                limit
                / array_namespace(g).maximum(
                    array_namespace(g).max(array_namespace(g).abs(g)), 0 * norm(g) + limit
                )
            )
        ),
        "upside down": lambda g, limit: (
            g * (array_namespace(g).maximum(norm(g), 0 * norm(g) + limit) / limit)
        ),
    },
    "attended_row": {
        "from one": lambda s: row(s, first=1),
        "not divided": lambda s: row(s, by=lambda w: 1),
        "divided by H": lambda s: row(s, by=lambda w: s.shape[2]),
        "columns": lambda s: row(array_namespace(s).permute_dims(s, (0, 1, 3, 2))),
        "the largest": lambda s: array_namespace(s).astype(
            array_namespace(s).argmax(array_namespace(s).sum(s, axis=(1, 3)), axis=1), s.dtype
        ),
        "numpy": lambda s: (
            (s.sum(axis=(1, 3)) * np.arange(s.shape[2])).sum(axis=1) / s.sum(axis=(1, 2, 3))
        ),
        "all images": lambda s: row(s) * 0 + array_namespace(s).mean(row(s)),
        "a list": lambda s: [float(v) for v in row(s)],
    },
    "sgd_step": {
        "np.cos": lambda w, g, step, steps, base: (
            w - base * 0.5 * (1 + np.cos(np.pi * step / steps)) * g
        ),
        "upwards": lambda w, g, step, steps, base: w + base * cosine(step, steps) * g,
        "no half": lambda w, g, step, steps, base: w - 2 * base * cosine(step, steps) * g,
        "no schedule": lambda w, g, step, steps, base: w - base * g,
        "linear": lambda w, g, step, steps, base: w - base * (1 - step / steps) * g,
        "no pi": lambda w, g, step, steps, base: w - base * (1 + math.cos(step / steps)) / 2 * g,
        "one step further": lambda w, g, step, steps, base: w - base * cosine(step + 1, steps) * g,
        "in place": lambda w, g, step, steps, base: w.__isub__(base * cosine(step, steps) * g),
        "only the step": lambda w, g, step, steps, base: base * cosine(step, steps) * g,
        "no + 1": lambda w, g, step, steps, base: (
            w - base * math.cos(math.pi * step / steps) / 2 * g
        ),
        "the schedule rises": lambda w, g, step, steps, base: (
            w - base * (1 - cosine(step, steps)) * g
        ),
    },
    "conv_floor": {
        "multiply-adds": lambda **given: floor(**given, flops=1),
        "one byte": lambda **given: floor(**given, bytes=1),
        "float64": lambda **given: floor(**given, bytes=8),
        "no weights": lambda **given: floor(**given, weights=0),
        "no output": lambda **given: floor(**given, out=0),
        "1×1": lambda **given: floor(**given, window=1),
        "3": lambda **given: floor(**given, window=3),
        "seconds": lambda **given: floor(**given, micro=1),
        "milliseconds": lambda **given: floor(**given, micro=1e3),
        "exchanged": lambda **given: floor(**given)[::-1],
        "weights for each image": lambda **given: floor(
            **given, weights=9 * given["c"] * given["k"] * given["n"]
        ),
    },
}
