"""Hard swish, the activation of coordinate attention."""

from __future__ import annotations

import numpy as np

from armlab.check.bounds import TINY, Bounds, Exact, float64_inputs
from armlab.check.case import Case
from armlab.check.example import Example
from armlab.check.fault import Fault
from armlab.check.record import Timed
from armlab.check.smooth import apart, of_x
from armlab.check.strategies import Source, elementwise


def hard_swish_exact(s: Source) -> Example:
    """Multiples of 3: both kinks, and no quotient by 6 that rounds."""
    e = elementwise(s)
    (x,) = e.inputs.values()
    assert x is not None
    return Example({"x": 3 * x}, {}, e.dy, layouts=s.layouts)


def bound(e: Example, exact: Exact, u: float) -> Bounds:
    """y rounds in a sum, two products or quotients, and the 1/6. Below -3 all is 0.

    Between the kinks the slope is 1/2 + x / 3, in torch a sum whose terms round before they cancel,
    by u |x| / 3; then the sum and the product with dy round. Outside, the slope is 0 or 1.
    """
    (x,) = float64_inputs(e).values()
    slope = u * (np.abs(x) / 3 + 3 * np.abs(x / 3 + 0.5)) * (np.abs(x) < 3)
    return {"y": 4 * u * np.abs(exact["y"]) + TINY, "dx": np.abs(e.dy) * slope + TINY}


CASES = [
    Case(
        "hard_swish",
        elementwise,
        bound,
        hard_swish_exact,
        calls={"": of_x(apart)},  # odd 16ths: never ±3
        any_shape=True,
        cost=(0, 420),
        timed=(Timed({"x": (8, 32, 64, 64)}),),
    )
]

FAULTS = [
    Fault(
        "hard_swish: slope of the gate without that of x",
        "hard_swish",
        "hard_swish",
        "hard_swish.backward",
        "(3)",
        "slope = h",
        "x stands in y = x h(x) twice: the slope is h + x h' = (2 x + 3) / 6",
    ),
    Fault(
        "hard_swish: slope at the upper kink",
        "hard_swish",
        "hard_swish",
        "hard_swish.backward",
        "(3)",
        "slope = xp.where(x > 3.0, 1.0, xp.maximum(x, -3.0) / 3.0 + 0.5)",
        "at x = 3 the convention is the slope of what follows, 1, not the parabola's 3/2",
    ),
    Fault(
        "hard_swish_bits: slope at the upper kink",
        "hard_swish",
        "kernels/hard_swish_bits",
        "_backward",
        "slope",
        "slope = np.trunc(u) * (x != 3.0)",
        "at x = 3 the convention is the slope of what follows, 1, not the parabola's 3/2",
    ),
]
