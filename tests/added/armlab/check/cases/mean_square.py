"""The mean of squares."""

from __future__ import annotations

import numpy as np

from armlab.check.bounds import TINY, Bounds, Exact, float64_inputs
from armlab.check.case import Case
from armlab.check.cases.global_avg_pool import global_avg_pool_exact
from armlab.check.example import Example
from armlab.check.fault import Fault
from armlab.check.record import Timed
from armlab.check.smooth import of_x, smooth
from armlab.check.strategies import pooled


def bound(e: Example, exact: Exact, u: float) -> Bounds:
    """A sum of m squares, each of which rounds, and a quotient; 2 x dz / m rounds three times."""
    (x,) = float64_inputs(e).values()
    m = x.shape[2] * x.shape[3]
    y = (m + 2) * u * np.abs(exact["y"])
    return {"y": y + (m + 1) * TINY, "dx": 3 * u * np.abs(exact["dx"]) + 4 * TINY}


CASES = [
    Case(
        "mean_square",
        pooled,
        bound,
        global_avg_pool_exact,
        calls={"": of_x(smooth)},
        cost=(0, 840),
        timed=(Timed({"x": (8, 32, 64, 64)}),),
    )
]

FAULTS = [
    Fault(
        "mean_square: a factor of 2 forgotten",
        "mean_square",
        "mean_square",
        "mean_square.backward",
        "(1)",
        "return x * (dz / m)",
        "the slope of x² is 2 x",
    )
]
