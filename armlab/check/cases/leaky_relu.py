"""LeakyReLU."""

from __future__ import annotations

import numpy as np

from armlab.check.bounds import TINY, Bounds, Exact, float64_inputs
from armlab.check.case import Case
from armlab.check.example import Example
from armlab.check.fault import Fault
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

FAULTS = [
    Fault(
        "leaky_relu: slope on the wrong side",
        "leaky_relu",
        "leaky_relu",
        "leaky_relu.backward",
        "(2)",
        "return xp.where(y < 0, dy, slope * dy)",
        "the slope belongs to x <= 0",
    ),
    Fault(
        "leaky_relu: no leak backward",
        "leaky_relu",
        "leaky_relu",
        "leaky_relu.backward",
        "(2)",
        "return xp.where(y > 0, dy, 0.0)",
        "what leaks forward leaks backward: slope dy where x <= 0",
    ),
    Fault(
        "leaky_relu_factor: gradient at the kink",
        "leaky_relu",
        "kernels/leaky_relu_factor",
        "backward",
        "dx[...]",
        "dx[...] = y >= 0",
        "at x = 0 the convention is the slope",
    ),
]
