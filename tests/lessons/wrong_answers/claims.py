"""Of chapter 10."""

from typing import Any

import numpy as np

from wrong_answers.answer import Wrong


def apart(a: Any, b: Any, t: float) -> tuple[float, float]:
    """As if the runs had nothing in common."""
    variance = np.var(a, ddof=1) / len(a) + np.var(b, ddof=1) / len(b)
    return np.mean(a) - np.mean(b), t * variance**0.5


WRONG: Wrong = {
    "whole_and_branch": [
        (lambda in_channels, out_channels: _arm(in_channels, out_channels, 3), "have no bias"),
        (lambda in_channels, out_channels: _arm(in_channels, out_channels, 4), "not trained"),
        (
            lambda in_channels, out_channels: (out_channels * (out_channels + 2),) * 2,
            "are in the class as well",
        ),
        (
            lambda in_channels, out_channels: (
                out_channels * (9 * in_channels + 2 + in_channels + 2),
                out_channels * (in_channels + 2),
            ),
            "out_channels on both sides",
        ),
    ],
    "conv_multiply_adds": [
        (
            lambda in_channels, out_channels, kernel, stride, padding, height, width: (
                in_channels * out_channels * kernel * kernel * height * width
            ),
            "at every place of the output",
        ),
        (
            lambda in_channels, out_channels, kernel, stride, padding, height, width: (
                out_channels
                * kernel**2
                * ((height + 2 * padding - kernel) // stride + 1)
                * ((width + 2 * padding - kernel) // stride + 1)
            ),
            "reads all input channels",
        ),
        (
            lambda in_channels, out_channels, kernel, stride, padding, height, width: (
                2
                * (in_channels * out_channels * kernel**2)
                * ((height + 2 * padding - kernel) // stride + 1)
                * ((width + 2 * padding - kernel) // stride + 1)
            ),
            "as flops it would be two",
        ),
    ],
    "t_interval": [
        (lambda values, t: (np.mean(values), t * np.std(values) / len(values) ** 0.5), "ddof=1"),
        (lambda values, t: (np.mean(values), t * np.std(values, ddof=1)), "one further value"),
    ],
    "paired_interval": [
        (apart, "take the differences first"),
        (
            lambda a, b, t: (np.mean(a - b), t * np.std(a - b) / len(a) ** 0.5),
            "np.std divides by n",
        ),
    ],
}


def _arm(c: int, k: int, per_channel: int) -> tuple[int, int]:
    branch = k * k + per_channel * k
    return 9 * c * k + per_channel * k + branch, branch
