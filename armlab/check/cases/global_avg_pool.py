"""Global average pooling."""

from __future__ import annotations

import numpy as np

from armlab.check.bounds import TINY, Bounds, Exact, float64_inputs
from armlab.check.case import Case
from armlab.check.example import Example
from armlab.check.fault import Fault
from armlab.check.record import Timed
from armlab.check.smooth import of_x, smooth
from armlab.check.strategies import Source, pooled


def global_avg_pool_exact(s: Source) -> Example:
    """Powers of two, so that the mean is exact."""
    n, c, _, _ = s.features()
    x = s.array("x", (n, c, s.pick(1, 2, 8), s.pick(4, 1, 16)))
    return Example({"x": x}, {}, s.array("dy", (n, c, 1, 1)), layouts=s.layouts)


def bound(e: Example, exact: Exact, u: float) -> Bounds:
    """A sum of H W terms and a quotient."""
    (x,) = float64_inputs(e).values()
    n = x.shape[2] * x.shape[3]
    y = (n + 1) * u * np.abs(x).mean(axis=(2, 3), keepdims=True)
    return {"y": y + TINY, "dx": 2 * u * np.abs(exact["dx"]) + TINY}


CASES = [
    Case(
        "global_avg_pool",
        pooled,
        bound,
        global_avg_pool_exact,
        calls={"": of_x(smooth)},
        cost=(0, 420),
        timed=(Timed({"x": (8, 32, 64, 64)}),),
    )
]

FAULTS = [
    Fault(
        "global_avg_pool: 1/HW forgotten backward",
        "global_avg_pool",
        "global_avg_pool",
        "global_avg_pool.backward",
        "(2)",
        "return xp.broadcast_to(dz, shape)",
        "each pixel had a share of 1 / HW in the mean, so it receives that share of dz",
    ),
    Fault(
        "global_avg_pool: sum for mean",
        "global_avg_pool",
        "global_avg_pool",
        "global_avg_pool",
        "(1)",
        "z = position_sum(x)",
        "this is the sum, which grows with the size of the image: divide by H W",
    ),
    Fault(
        "global_avg_pool: divided by H only",
        "global_avg_pool",
        "global_avg_pool",
        "global_avg_pool",
        "(1)",
        "z = position_sum(x) / h",
        "a mean over all positions divides by H W",
    ),
    Fault(
        "global_avg_pool: windows of one pixel",
        "global_avg_pool",
        "global_avg_pool",
        "global_avg_pool",
        "(1)",
        "z = x",
        "this is x: the mean over a window of 1×1 is the pixel itself, and nothing was pooled",
    ),
]
