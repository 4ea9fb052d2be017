"""Of chapter 9."""

from typing import Any

import numpy as np

from first_tries.answer import Tries


def read(first: int, last: int, layers: Any, **other: Any) -> Any:
    turned = other.get("order", lambda layers: layers[::-1])(layers)
    for kernel, stride, padding in turned:
        first = first * stride - other.get("padding", lambda p: p)(padding)
        last = last * stride - other.get("padding", lambda p: p)(padding)
        last += other.get("span", lambda k: k - 1)(kernel)
    return other.get("end", lambda a, b: (a, b))(first, last)


def shares(counts: Any, **other: Any) -> Any:
    rows, columns, both = counts.sum(axis=1), counts.sum(axis=0), np.diag(counts)
    return other["of"](rows, columns, both)


def adam(
    w: Any, g: Any, m: Any, s: Any, t: int, rate: float, b1: float, b2: float, eps: float,
    **other: Any,
) -> Any:  # fmt: skip
    m, s = other.get("moments", lambda m, s, g: (b1 * m + (1 - b1) * g, b2 * s + (1 - b2) * g * g))(
        m, s, g
    )
    mean, square = other.get("correct", lambda m, s, t: (m / (1 - b1**t), s / (1 - b2**t)))(m, s, t)
    step = other.get("step", lambda a, b: a / (np.sqrt(b) + eps))(mean, square)
    returned = other.get("kept", lambda m, s, mean, square: (m, s))(m, s, mean, square)
    return w + other.get("sign", -1) * rate * step, *returned


TRIES: Tries = {
    "rows_read": {
        "from the first": lambda **given: read(**given, order=lambda layers: layers),
        "no padding": lambda **given: read(**given, padding=lambda p: 0),
        "padding added": lambda **given: read(**given, padding=lambda p: -p),
        "R rows more": lambda **given: read(**given, span=lambda k: k),
        "half the kernel": lambda **given: read(**given, span=lambda k: k // 2),
        "one row": lambda **given: read(**given, span=lambda k: 0),
        "inside the image": lambda **given: read(**given, end=lambda a, b: (max(a, 0), b)),
        "the count": lambda **given: read(**given, end=lambda a, b: b - a + 1),
        "no stride": lambda first, last, layers: read(
            first, last, [(k, 1, p) for k, _, p in layers]
        ),
        "the end beside the last": lambda **given: read(**given, end=lambda a, b: (a, b + 1)),
        "exchanged": lambda **given: read(**given, end=lambda a, b: (b, a)),
        "padding on both sides": lambda **given: read(**given, padding=lambda p: 2 * p),
    },
    "iou": {
        "recall": lambda counts: shares(counts, of=lambda rows, columns, both: both / rows),
        "precision": lambda counts: shares(counts, of=lambda rows, columns, both: both / columns),
        "counted twice": lambda counts: shares(
            counts, of=lambda rows, columns, both: both / (rows + columns)
        ),
        "dice": lambda counts: shares(
            counts, of=lambda rows, columns, both: 2 * both / (rows + columns)
        ),
        "accuracy": lambda counts: np.diag(counts) / counts.sum(),
        "the mean": lambda counts: shares(
            counts, of=lambda rows, columns, both: (both / (rows + columns - both)).mean()
        ),
        "whole numbers": lambda counts: shares(
            counts, of=lambda rows, columns, both: both // (rows + columns - both)
        ),
        "without both": lambda counts: shares(
            counts, of=lambda rows, columns, both: both / np.maximum(rows + columns - 2 * both, 1)
        ),
        "percent": lambda counts: shares(
            counts, of=lambda rows, columns, both: 100 * both / (rows + columns - both)
        ),
        "all of it": lambda counts: np.trace(counts) / counts.sum(),
    },
    "adam_step": {
        "not corrected": lambda **given: adam(**given, correct=lambda m, s, t: (m, s)),
        "only m corrected": lambda **given: adam(
            **given, correct=lambda m, s, t: (m / (1 - given["b1"] ** t), s)
        ),
        "corrected ones are kept": lambda **given: adam(
            **given, kept=lambda m, s, mean, square: (mean, square)
        ),
        "upwards": lambda **given: adam(**given, sign=1),
        "no root": lambda **given: adam(**given, step=lambda a, b: a / (b + given["eps"])),
        "eps inside": lambda **given: adam(
            **given, step=lambda a, b: a / np.sqrt(b + given["eps"])
        ),
        "no eps": lambda **given: adam(**given, step=lambda a, b: a / np.sqrt(b)),
        "g not squared": lambda **given: adam(
            **given,
            moments=lambda m, s, g: (
                given["b1"] * m + (1 - given["b1"]) * g,
                given["b2"] * s + (1 - given["b2"]) * np.abs(g),
            ),
        ),
        "shares exchanged": lambda **given: adam(
            **given,
            moments=lambda m, s, g: (
                (1 - given["b1"]) * m + given["b1"] * g,
                (1 - given["b2"]) * s + given["b2"] * g * g,
            ),
        ),
        "b1 and b2 exchanged": lambda **given: adam(
            **given | {"b1": given["b2"], "b2": given["b1"]}
        ),
        "t + 1": lambda **given: adam(**given | {"t": given["t"] + 1}),
        "t times": lambda **given: adam(
            **given,
            correct=lambda m, s, t: (m / (1 - given["b1"] * t + 0.95), s / (1 - given["b2"] ** t)),
        ),
        "plain descent": lambda **given: next(
            (given["w"] - given["rate"] * given["g"], m, s) for _, m, s in [adam(**given)]
        ),
        "g for m": lambda **given: adam(
            **given, step=lambda a, b: given["g"] / (np.sqrt(b) + given["eps"])
        ),
    },
}
