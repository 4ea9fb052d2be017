"""Sums and differences of two maps."""

from __future__ import annotations

import math

import numpy as np

from armlab.check.bounds import Bounds, Exact, float64_inputs
from armlab.check.case import Case
from armlab.check.example import Example
from armlab.check.fault import Fault
from armlab.check.record import Call, Inputs, Options, Shape, Timed
from armlab.check.smooth import smooth
from armlab.check.strategies import Source


def add(s: Source) -> Example:
    """x2 of the shape of x1, or one number per channel, per position or per row."""
    n, c, h, w = shape = s.features()
    x2_shape = s.pick(shape, (n, c, 1, 1), (n, 1, h, w), (n, c, h, 1))
    s.note(f"x2 repeats: {x2_shape != shape}")
    inputs = {"x1": s.array("x1", shape), "x2": s.array("x2", x2_shape)}
    return Example(inputs, {}, s.array("dy", shape), layouts=s.layouts)


def bound(e: Example, exact: Exact, u: float) -> Bounds:
    """One rounding; dx1 is dy as it is, and dx2 a sum of as many dy as x2 was repeated."""
    x2 = float64_inputs(e)["x2"]
    repeats = tuple(i for i in range(x2.ndim) if x2.shape[i] == 1)
    n = math.prod(e.dy.shape[i] for i in repeats)
    size = np.abs(e.dy).sum(axis=repeats, keepdims=True)
    dx2 = (n - 1) * u * size if n > 1 else 0 * size
    return {"y": u * np.abs(exact["y"]), "dx1": 0 * np.abs(exact["dx1"]), "dx2": dx2}


def _call(*repeated: int) -> Call:
    """x2 has length 1 along these axes."""

    def call(rng: np.random.Generator, shape: Shape) -> tuple[Inputs, Options]:
        x2_shape = [1 if axis in repeated else n for axis, n in enumerate(shape)]
        return {"x1": smooth(rng, *shape), "x2": smooth(rng, *x2_shape)}, {}

    return call


CALLS = {"": _call(), "per channel": _call(2, 3), "per position": _call(1)}
TIMED = (Timed({"x1": (8, 32, 64, 64), "x2": (8, 32, 64, 64)}),)
CASES = [
    Case(name, add, bound, add, any_shape=True, calls=CALLS, cost=(0, 420), timed=TIMED)
    for name in ("add", "subtract")
]

FAULTS = [
    Fault(
        "add: a repeated term keeps its copies apart",
        "add",
        "add",
        "add.backward",
        "return",
        "return dy, dy",
        "x2 was repeated to the shape of x1: what its copies receive adds up",
    ),
    Fault(
        "add: the gradient shared between the terms",
        "add",
        "add",
        "add.backward",
        "return",
        "return 0.5 * dy, 0.5 * unbroadcast(dy, shape)",
        "each term moves y by as much as itself, so each receives all of dy",
    ),
    Fault(
        "subtract: minus forgotten backward",
        "subtract",
        "add",
        "subtract.backward",
        "(2)",
        "return dy, unbroadcast(dy, shape)",
        "y falls where x2 grows: its gradient is that of -x2",
    ),
    Fault(
        "add_unbuffered: a repeated term keeps its copies apart",
        "add",
        "kernels/add_unbuffered",
        "add.backward",
        "return",
        "return dy, dy",
        "x2 was repeated to the shape of x1: what its copies receive adds up",
    ),
]
