"""Of chapter 10."""

import math
from typing import Any

import numpy as np

from first_tries.answer import Tries


def whole(c: int, k: int, per_layer: int = 2, branch_in: int | None = None) -> Any:
    branch = (k if branch_in is None else branch_in) * k + per_layer * k
    return 9 * c * k + per_layer * k + branch, branch


def work(
    in_channels: int, out_channels: int, kernel: int, stride: int, padding: int, height: int,
    width: int, **other: Any,
) -> Any:  # fmt: skip
    out = [
        other.get("size", lambda n: (n + 2 * padding - kernel) // stride + 1)(n)
        for n in (height, width)
    ]
    return math.prod(out) * in_channels * out_channels * other.get("window", kernel * kernel)


TRIES: Tries = {
    "whole_and_branch": {
        "no BN": lambda in_channels, out_channels: whole(in_channels, out_channels, 0),
        "one number of BN": lambda in_channels, out_channels: whole(in_channels, out_channels, 1),
        "a bias": lambda in_channels, out_channels: whole(in_channels, out_channels, 3),
        "statistics": lambda in_channels, out_channels: whole(in_channels, out_channels, 4),
        "the 3×3 alone": lambda in_channels, out_channels: (
            9 * in_channels * out_channels + 2 * out_channels,
            out_channels**2 + 2 * out_channels,
        ),
        "exchanged": lambda in_channels, out_channels: whole(in_channels, out_channels)[::-1],
        "in_channels": lambda in_channels, out_channels: whole(
            in_channels, out_channels, branch_in=in_channels
        ),
        "the share": lambda in_channels, out_channels: next(
            (a, b / a) for a, b in [whole(in_channels, out_channels)]
        ),
        "no kernel": lambda in_channels, out_channels: next(
            (a - 8 * in_channels * out_channels, b) for a, b in [whole(in_channels, out_channels)]
        ),
    },
    "conv_multiply_adds": {
        "the input's size": lambda **given: work(**given, size=lambda n: n),
        "flops": lambda **given: 2 * work(**given),
        "the kernel once": lambda **given: work(**given, window=given["kernel"]),
        "no kernel": lambda **given: work(**given, window=1),
        "no stride": lambda **given: work(
            **given, size=lambda n: n + 2 * given["padding"] - given["kernel"] + 1
        ),
        "padding once": lambda **given: work(
            **given, size=lambda n: (n + given["padding"] - given["kernel"]) // given["stride"] + 1
        ),
        "no padding": lambda **given: work(
            **given, size=lambda n: (n - given["kernel"]) // given["stride"] + 1
        ),
        "one output channel": lambda **given: work(**given | {"out_channels": 1}),
        "one input channel": lambda **given: work(**given | {"in_channels": 1}),
        "no + 1": lambda **given: work(
            **given, size=lambda n: (n + 2 * given["padding"] - given["kernel"]) // given["stride"]
        ),
        "the parameters": lambda in_channels, out_channels, kernel, **_: (
            in_channels * out_channels * kernel * kernel
        ),
    },
    "t_interval": {
        "ddof 0": lambda values, t: (values.mean(), t * values.std() / math.sqrt(len(values))),
        "not the mean's": lambda values, t: (values.mean(), t * values.std(ddof=1)),
        "the ends": lambda values, t: next(
            (values.mean() - half, values.mean() + half)
            for half in [t * values.std(ddof=1) / math.sqrt(len(values))]
        ),
        "the whole width": lambda values, t: (
            values.mean(),
            2 * t * values.std(ddof=1) / math.sqrt(len(values)),
        ),
        "no t": lambda values, t: (values.mean(), values.std(ddof=1) / math.sqrt(len(values))),
        "1.96": lambda values, t: (
            values.mean(),
            1.96 * values.std(ddof=1) / math.sqrt(len(values)),
        ),
        "divided by n": lambda values, t: (values.mean(), t * values.std(ddof=1) / len(values)),
        "variance": lambda values, t: (
            values.mean(),
            t * values.var(ddof=1) / math.sqrt(len(values)),
        ),
        "the median": lambda values, t: (
            np.median(values),
            t * values.std(ddof=1) / math.sqrt(len(values)),
        ),
        "root of n - 1": lambda values, t: (
            values.mean(),
            t * values.std(ddof=1) / math.sqrt(len(values) - 1),
        ),
    },
    "paired_interval": {
        "unpaired": lambda a, b, t: (
            a.mean() - b.mean(),
            t * math.sqrt(a.var(ddof=1) / len(a) + b.var(ddof=1) / len(b)),
        ),
        "b - a": lambda a, b, t: (
            (b - a).mean(),
            t * (b - a).std(ddof=1) / math.sqrt(len(a)),
        ),
        "ddof 0": lambda a, b, t: ((a - b).mean(), t * (a - b).std() / math.sqrt(len(a))),
        "not the mean's": lambda a, b, t: ((a - b).mean(), t * (a - b).std(ddof=1)),
        "absolute": lambda a, b, t: (
            np.abs(a - b).mean(),
            t * np.abs(a - b).std(ddof=1) / math.sqrt(len(a)),
        ),
        "the two widths": lambda a, b, t: (
            (a - b).mean(),
            t * (a.std(ddof=1) + b.std(ddof=1)) / math.sqrt(len(a)),
        ),
        "the ends": lambda a, b, t: next(
            (d.mean() - half, d.mean() + half)
            for d in [a - b]
            for half in [t * d.std(ddof=1) / math.sqrt(len(d))]
        ),
        "all values": lambda a, b, t: (
            (a - b).mean(),
            t * np.concatenate([a, b]).std(ddof=1) / math.sqrt(2 * len(a)),
        ),
        "no t": lambda a, b, t: ((a - b).mean(), (a - b).std(ddof=1) / math.sqrt(len(a))),
    },
}
