"""LeakyReLU."""

from __future__ import annotations

import numpy as np

from armlab.check.bounds import TINY, Bounds, Exact, float64_inputs
from armlab.check.case import Case
from armlab.check.example import Example
from armlab.check.record import Timed
from armlab.check.smooth import apart, of_x
from armlab.check.strategies import Source, elementwise


def leaky_relu(s: Source) -> Example:
    """Of small integers a quarter is exact."""
    return elementwise(s, slope=0.25 if s.kind == "integers" else s.pick(0.01, 0.25, 0.9))


def bound(e: Example, exact: Exact, u: float) -> Bounds:
    """The slope rounds and the product rounds, where x is not positive."""
    (x,) = float64_inputs(e).values()
    leaks = 2 * u * (x <= 0)
    return {"y": leaks * np.abs(exact["y"]) + TINY, "dx": leaks * np.abs(exact["dx"]) + TINY}


CASES = [
    Case(
        "leaky_relu",
        leaky_relu,
        bound,
        leaky_relu,
        calls={"": of_x(apart)},
        any_shape=True,
        cost=(0, 420),
        timed=(Timed({"x": (8, 32, 64, 64)}),),
    )
]
