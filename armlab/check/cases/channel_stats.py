"""Mean and max over the channels."""

from __future__ import annotations

import numpy as np

from armlab.check.bounds import TINY, Bounds, Exact, float64_inputs, nothing_rounds
from armlab.check.case import Case
from armlab.check.example import Example
from armlab.check.record import Timed
from armlab.check.smooth import apart, of_x, smooth
from armlab.check.strategies import Source


def channel_statistic(s: Source) -> Example:
    n, c, h, w = s.features()
    x = s.array("x", (n, c, h, w))
    return Example({"x": x}, {}, s.array("dy", (n, 1, h, w)), layouts=s.layouts)


def channel_mean_exact(s: Source) -> Example:
    """Powers of two, so that the mean is exact."""
    n, _, h, w = s.features()
    x = s.array("x", (n, s.pick(1, 2, 4, 16), h, w))
    return Example({"x": x}, {}, s.array("dy", (n, 1, h, w)), layouts=s.layouts)


def bound_mean(e: Example, exact: Exact, u: float) -> Bounds:
    """A sum of C terms times a share 1 / C that is itself rounded."""
    (x,) = float64_inputs(e).values()
    y = (x.shape[1] + 1) * u * np.abs(x).mean(axis=1, keepdims=True)
    return {"y": y + TINY, "dx": 2 * u * np.abs(exact["dx"]) + TINY}


TIMED = (Timed({"x": (8, 32, 64, 64)}),)
CASES = [
    Case(
        "channel_mean",
        channel_statistic,
        bound_mean,
        channel_mean_exact,
        calls={"": of_x(smooth)},
        cost=(0, 420),
        timed=TIMED,
    ),
    Case(
        "channel_max",
        channel_statistic,
        nothing_rounds,
        channel_statistic,
        calls={"": of_x(apart)},
        cost=(0, 420),
        timed=TIMED,
    ),
]
