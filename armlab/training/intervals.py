"""Means over seeds and differences between attentions, each with its 95 % interval."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

CONFIDENCE = 0.95
Values = Mapping[int, float | None]  # by seed; None where a run gave no value


@dataclass(frozen=True)
class Interval:
    """mean ± half_width from n values; half_width is None for fewer than two, which have none.

        s² = Σ (x_i - mean)² / (n - 1)                                  (1)
        half_width = t s / √n                                           (2)

    t is the 97.5 % point of Student's distribution with n - 1 degrees of freedom: were the values
    drawn from a normal distribution, an interval made like this would hold its mean 95 times of
    100. Values that are all equal have a half_width of 0, and say nothing of what a further seed
    would give.
    """

    n: int
    mean: float | None
    half_width: float | None

    @property
    def pair(self) -> tuple[float | None, float | None]:
        return self.mean, self.half_width

    @property
    def differs(self) -> bool | None:
        """Whether the interval leaves out 0; None where there is no interval."""
        if self.mean is None or self.half_width is None:
            return None
        return abs(self.mean) > self.half_width


def interval(values: Sequence[float]) -> Interval:
    """Equations (1) and (2)."""
    n = len(values)
    if n < 2:
        return Interval(n, values[0] if values else None, None)
    if min(values) == max(values):  # rounding would make of it a little more than 0
        return Interval(n, values[0], 0.0)
    from scipy.stats import t  # comes with scikit-learn

    student = float(t.ppf((1 + CONFIDENCE) / 2, n - 1))
    return Interval(n, fmean(values), student * stdev(values) / math.sqrt(n))


def mean_over_seeds(values: Values) -> Interval:
    """The interval of the seeds that gave a value."""
    return interval([x for x in values.values() if x is not None])


def paired_difference(values: Values, first: Values) -> Interval:
    """Of values - first, seed by seed, where both gave one.

    Two runs of one seed see the same images in the same order. What these do to both cancels, as
    it does not in the difference of two means.
    """
    pairs = [(values[seed], first[seed]) for seed in values.keys() & first.keys()]
    return interval([a - b for a, b in pairs if a is not None and b is not None])
