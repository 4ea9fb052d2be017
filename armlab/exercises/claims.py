"""Chapter 10: the claims, counted and measured."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from hypothesis import strategies as st

from armlab.exercises.exercise import Arguments, Asked, Puzzle


def whole_and_branch(in_channels: int, out_channels: int) -> tuple[int, int]:
    branch = out_channels**2 + 2 * out_channels
    return 9 * in_channels * out_channels + 2 * out_channels + branch, branch


def with_extra(per_layer: int) -> Any:
    """The count of who gives each of the two layers so many numbers per channel too many."""

    def count(in_channels: int, out_channels: int) -> tuple[int, int]:
        whole, branch = whole_and_branch(in_channels, out_channels)
        extra = per_layer * out_channels
        return whole + 2 * extra, branch + extra

    return count


def conv_multiply_adds(
    in_channels: int,
    out_channels: int,
    kernel: int,
    stride: int,
    padding: int,
    height: int,
    width: int,
) -> int:
    rows, columns = ((n + 2 * padding - kernel) // stride + 1 for n in (height, width))
    return rows * columns * out_channels * in_channels * kernel**2


@st.composite
def convolutions(draw: st.DrawFn) -> Arguments:
    """A square kernel that fits into its image."""
    kernel = draw(st.sampled_from([3, 1, 5, 7]))
    return {
        "in_channels": draw(st.integers(1, 6)),
        "out_channels": draw(st.integers(1, 6)),
        "kernel": kernel,
        "stride": draw(st.integers(1, 3)),
        "padding": draw(st.integers(0, 3)),
        "height": kernel + draw(st.integers(0, 9)),
        "width": kernel + draw(st.integers(0, 9)),
    }


def t_interval(values: np.ndarray, t: float) -> tuple[float, float]:
    n = len(values)
    return values.mean(), t * values.std(ddof=1) / math.sqrt(n)


def of_population(values: np.ndarray, t: float) -> tuple[float, float]:
    return values.mean(), t * values.std() / math.sqrt(len(values))


def of_one_value(values: np.ndarray, t: float) -> tuple[float, float]:
    return values.mean(), t * values.std(ddof=1)


def paired_interval(a: np.ndarray, b: np.ndarray, t: float) -> tuple[float, float]:
    return t_interval(a - b, t)


def unpaired(a: np.ndarray, b: np.ndarray, t: float) -> tuple[float, float]:
    spread = math.sqrt((a.var(ddof=1) + b.var(ddof=1)) / len(a))
    return a.mean() - b.mean(), t * spread


POINTS = {2: 12.71, 3: 4.303, 4: 3.182, 5: 2.776, 6: 2.571}  # 97.5 % of Student's t, by values


@st.composite
def runs(draw: st.DrawFn, networks: str) -> Arguments:
    """A score for each of a few seeds, of one or two networks; no two alike."""
    n = draw(st.integers(2, 6))
    seed = draw(st.integers(0, 99))
    rng = np.random.default_rng(seed)
    shared = rng.uniform(0.3, 0.6, n)
    scores = {name: (shared + rng.uniform(0.01, 0.2, n)).round(3) for name in networks.split()}
    return {**scores, "t": POINTS[n]}


EXERCISES: dict[str, Asked] = {
    "whole_and_branch": Puzzle(
        "whole_and_branch(in_channels, out_channels) -> whole, branch",
        st.fixed_dictionaries(
            {"in_channels": st.integers(1, 9), "out_channels": st.integers(1, 9)}
        ),
        whole_and_branch,
        {
            "the convolutions of ARM have no bias: batch normalisation behind them shifts": (
                with_extra(1)
            ),
            "running mean and variance are counted here, and they are not trained": with_extra(2),
            "the 1×1 stands behind the 3×3, so it has out_channels on both sides": (
                lambda in_channels, out_channels: (
                    10 * in_channels * out_channels + 4 * out_channels,
                    in_channels * out_channels + 2 * out_channels,
                )
            ),
            "the 3×3 and its batch normalisation are in the class as well": (
                lambda in_channels, out_channels: (
                    whole_and_branch(in_channels, out_channels)[1],
                    whole_and_branch(in_channels, out_channels)[1],
                )
            ),
        },
    ),
    "conv_multiply_adds": Puzzle(
        "conv_multiply_adds(in_channels, out_channels, kernel, stride, padding, height, width) "
        "-> multiply_adds",
        convolutions(),
        conv_multiply_adds,
        {
            "a multiply-add is counted once; as flops it would be two": (
                lambda **a: 2 * conv_multiply_adds(**a)
            ),
            "the kernel is applied at every place of the output, not of the input": (
                lambda in_channels, out_channels, kernel, stride, padding, height, width: (
                    height * width * out_channels * in_channels * kernel**2
                )
            ),
            "each output channel reads all input channels": (
                lambda **a: conv_multiply_adds(**(a | {"in_channels": 1}))
            ),
        },
    ),
    "t_interval": Puzzle(
        "t_interval(values, t) -> mean, half_width",
        runs("values"),
        t_interval,
        {
            "np.std divides by n: its mean is taken from the same values, so n - 1 are free "
            "and ddof=1 is right": of_population,
            "this is where one further value would lie; the mean of n values is √n times as sure": (
                of_one_value
            ),
        },
        relative=1e-9,
    ),
    "paired_interval": Puzzle(
        "paired_interval(a, b, t) -> mean, half_width",
        runs("a b"),
        paired_interval,
        {
            "the two runs of one seed are a pair: take the differences first, and then their "
            "spread": unpaired,
            "np.std divides by n: its mean is taken from the same values, so ddof=1 is right": (
                lambda a, b, t: of_population(a - b, t)
            ),
        },
        relative=1e-9,
    ),
}
