"""Intervals against scipy and against how often they hold; the cases that have none."""

import numpy as np
import pytest
from scipy import stats

from armlab.training.intervals import (
    Interval,
    interval,
    mean_over_seeds,
    paired_difference,
)


@pytest.mark.parametrize("n", [2, 3, 5, 11])
def test_equals_scipy(n):
    x = np.random.default_rng(n).normal(3.0, 2.0, n)
    found = interval(x.tolist())
    low, high = stats.t.interval(0.95, n - 1, loc=x.mean(), scale=stats.sem(x))
    # a handful of float64 roundings of values about 3
    np.testing.assert_allclose(
        [found.mean - found.half_width, found.mean + found.half_width], [low, high], atol=1e-13
    )
    assert found.n == n


def test_holds_the_true_mean_95_times_of_100():
    rng = np.random.default_rng(0)
    found = [interval(x) for x in rng.normal(1.0, 0.3, (2000, 5)).tolist()]
    share = np.mean([abs(i.mean - 1.0) <= i.half_width for i in found])
    assert abs(share - 0.95) < 4 * np.sqrt(0.95 * 0.05 / 2000)  # four standard deviations


def test_a_difference_is_that_of_scipys_paired_test():
    rng = np.random.default_rng(1)
    first = rng.normal(0.5, 0.2, 6)
    for shift in (0.001, 0.1):
        second = first + shift + rng.normal(0, 0.01, 6)
        seeds = range(6)
        found = paired_difference(
            dict(zip(seeds, second.tolist(), strict=True)),
            dict(zip(seeds, first.tolist(), strict=True)),
        )
        assert found.differs == (stats.ttest_rel(second, first).pvalue < 0.05)
        assert found.mean == pytest.approx((second - first).mean(), abs=1e-14)
    # the seeds spread far more than the attention shifts: unpaired, 0.1 would not be seen
    assert stats.ttest_ind(second, first).pvalue > 0.05


def test_one_value_or_none_has_no_interval():
    assert interval([0.7]) == Interval(1, 0.7, None)
    assert interval([]) == Interval(0, None, None)
    assert interval([0.7]).differs is None
    assert interval([]).differs is None


def test_equal_values_have_a_width_of_0():
    assert interval([0.1] * 7) == Interval(7, 0.1, 0.0)  # fmean would round
    assert interval([0.0, 0.0]).differs is False
    assert interval([0.5, 0.5]).differs is True


def test_runs_without_a_value_do_not_count():
    assert mean_over_seeds({0: 0.5, 1: None, 2: 0.5}) == Interval(2, 0.5, 0.0)
    found = paired_difference({0: 0.75, 1: None, 2: 0.5, 3: 0.5}, {3: 0.25, 2: 0.25, 0: None, 4: 1})
    assert found == Interval(2, 0.25, 0.0)
