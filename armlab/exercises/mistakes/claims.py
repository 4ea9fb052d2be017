"""Of chapter 10."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from armlab.exercises.mistakes.given import Mistakes, Steps


def whole(c: int, k: int, of_3x3: int, branch: int) -> tuple[int, int]:
    return of_3x3 + branch, branch


def places(n: int, kernel: int, stride: int, padding: int, **_: Any) -> int:
    return (n + 2 * padding - kernel) // stride + 1


def work(of: Any) -> Any:
    """Multiply-adds with other places along an axis, of (size, the arguments)."""

    def answer(**a: Any) -> Any:
        given = {k: a[k] for k in ("kernel", "stride", "padding")}
        out = of(a["height"], given) * of(a["width"], given)
        return out * a["in_channels"] * a["out_channels"] * a["kernel"] ** 2

    return answer


def interval(values: Any, t: float) -> tuple[Any, Any]:
    return values.mean(), t * values.std(ddof=1) / math.sqrt(len(values))


def ends(values: Any, t: float) -> tuple[Any, Any]:
    mean, half = interval(values, t)
    return mean - half, mean + half


MISTAKES: Mistakes = {
    "whole_and_branch": {
        "batch normalisation trains two numbers for each channel, a scale and a shift": (
            lambda in_channels, out_channels: whole(
                0, 0, (9 * in_channels + 1) * out_channels, (out_channels + 1) * out_channels
            )
        ),
        "batch normalisation trains a scale and a shift for each channel: they are missing": (
            lambda in_channels, out_channels: whole(
                0, 0, 9 * in_channels * out_channels, out_channels**2
            )
        ),
        "whole is the 3×3 and the branch together: this is the 3×3 alone": (
            lambda in_channels, out_channels: (
                (9 * in_channels + 2) * out_channels,
                (out_channels + 2) * out_channels,
            )
        ),
        "a 3×3 has nine weights for each pair of channels: this has one": (
            lambda in_channels, out_channels: whole(
                0, 0, (in_channels + 2) * out_channels, (out_channels + 2) * out_channels
            )
        ),
        "the branch is a count, not a share of the whole": lambda in_channels, out_channels: (
            (9 * in_channels + 2 + out_channels + 2) * out_channels,
            (out_channels + 2) / (9 * in_channels + 2 + out_channels + 2),
        ),
    },
    "conv_multiply_adds": {
        "windows move by the stride: it is missing, and there are fewer places": work(
            lambda n, a: places(n, **(a | {"stride": 1}))
        ),
        "the border is added on both sides: 2 p": work(
            lambda n, a: places(n, **(a | {"padding": 0.5 * a["padding"]}))
        ),
        "the first window counts as well: + 1, behind the division": work(
            lambda n, a: places(n, **a) - 1
        ),
        "these are the weights: each is used at every place of the output": (
            lambda in_channels, out_channels, kernel, **_: in_channels * out_channels * kernel**2
        ),
        "the kernel has kernel² taps for each pair of channels: they are missing": (
            lambda **a: work(lambda n, given: places(n, **given))(**a) // a["kernel"] ** 2
        ),
    },
    "t_interval": {
        "half_width is how far the ends are from the mean: these are the ends": ends,
        "divide by the root of n: this is n": lambda values, t: (
            values.mean(), t * values.std(ddof=1) / len(values)
        ),
        "take the standard deviation: this is the variance, without its root": (
            lambda values, t: (values.mean(), t * values.var(ddof=1) / math.sqrt(len(values)))
        ),
        "this is the median: the interval is that of the mean": (
            lambda values, t: (np.median(values), interval(values, t)[1])
        ),
        "n − 1 is in the deviation already: the mean of n values is √n times as sure": (
            lambda values, t: (
                values.mean(), t * values.std(ddof=1) / math.sqrt(len(values) - 1)
            )
        ),
    },
    "paired_interval": {
        "half_width is how far the ends are from the mean: these are the ends": (
            lambda a, b, t: ends(a - b, t)
        ),
        "differences have a sign: without it losses count as gains": (
            lambda a, b, t: interval(np.abs(a - b), t)
        ),
        "the spread of the differences is not the sum of the two spreads": lambda a, b, t: (
            (a - b).mean(), t * (a.std(ddof=1) + b.std(ddof=1)) / math.sqrt(len(a))
        ),
        "this is the spread of all values together: take the differences first": lambda a, b, t: (
            (a - b).mean(), t * np.concatenate([a, b]).std(ddof=1) / math.sqrt(2 * len(a))
        ),
    },
}  # fmt: skip
STEPS: Steps = {}
