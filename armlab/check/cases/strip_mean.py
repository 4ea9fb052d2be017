"""Means along rows or columns."""

from __future__ import annotations

import numpy as np

from armlab.check.bounds import TINY, Bounds, Exact, float64_inputs
from armlab.check.case import Case
from armlab.check.example import Example
from armlab.check.fault import Fault
from armlab.check.record import Shape, Timed
from armlab.check.smooth import of_x, smooth
from armlab.check.strategies import Source


def strip_mean(s: Source) -> Example:
    return _strip_mean(s, s.features())


def strip_mean_exact(s: Source) -> Example:
    """Powers of two, so that the mean is exact."""
    n, c, _, _ = s.features()
    return _strip_mean(s, (n, c, s.pick(1, 2, 8), s.pick(4, 1, 16)))


def _strip_mean(s: Source, shape: Shape) -> Example:
    axis = s.pick(2, 3)
    s.note(f"axis: {axis}")
    y_shape = (*shape[:2], shape[2], 1) if axis == 3 else (*shape[:2], 1, shape[3])
    x = s.array("x", shape)
    return Example({"x": x}, {"axis": axis}, s.array("dy", y_shape), layouts=s.layouts)


def bound(e: Example, exact: Exact, u: float) -> Bounds:
    """A sum along one axis and a quotient."""
    (x,) = float64_inputs(e).values()
    axis = e.options["axis"]
    y = (x.shape[axis] + 1) * u * np.abs(x).mean(axis=axis, keepdims=True)
    return {"y": y + TINY, "dx": 2 * u * np.abs(exact["dx"]) + TINY}


CASES = [
    Case(
        "strip_mean",
        strip_mean,
        bound,
        strip_mean_exact,
        calls={"": of_x(smooth, axis=3), "columns": of_x(smooth, axis=2)},
        cost=(0, 420),
        timed=(Timed({"x": (8, 32, 64, 64)}, {"axis": 3}),),
    )
]

FAULTS = [
    Fault(
        "strip_mean: sum for mean",
        "strip_mean",
        "strip_mean",
        "strip_mean.backward",
        "(2)",
        "return xp.broadcast_to(dy, shape)",
        "each element had a share of 1 / W in its row's mean, so it receives that share of dy",
    ),
    Fault(
        "strip_mean: divided by the length of the other axis",
        "strip_mean",
        "strip_mean",
        "strip_mean.backward",
        "(2)",
        "return xp.broadcast_to(dy / shape[5 - axis], shape)",
        "a row has W elements and a column H: divide by the axis that was averaged away",
    ),
    Fault(
        "strip_mean_product: sum for mean",
        "strip_mean",
        "kernels/strip_mean_product",
        "strip_mean.backward",
        "(2)",
        "return np.broadcast_to(dy, shape)",
        "each element had a share of 1 / W in its row's mean, so it receives that share of dy",
    ),
]
