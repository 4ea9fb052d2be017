"""The sigmoid."""

from __future__ import annotations

import numpy as np

from armlab.check.bounds import TINY, Bounds, Exact
from armlab.check.case import Case
from armlab.check.example import Example
from armlab.check.fault import Fault
from armlab.check.record import Inputs, Options, Shape, Timed
from armlab.check.smooth import smooth
from armlab.check.strategies import Source, elementwise


def sigmoid(s: Source) -> Example:
    """Logits of every size."""
    return elementwise(s, "a", s.pick(None, "wide", "integers"))


def bound(e: Example, exact: Exact, u: float) -> Bounds:
    """exp, one sum and one quotient: 5 u s. s (1 - s) has slope 1 - 2 s, and rounds itself."""
    s = exact["y"]
    da = 4 * u * np.abs(exact["da"]) + np.abs(e.dy) * (np.abs(1 - 2 * s) * (5 * u * s + TINY))
    return {"y": 5 * u * s + TINY, "da": da + TINY}


def _call(rng: np.random.Generator, shape: Shape) -> tuple[Inputs, Options]:
    return {"a": smooth(rng, *shape)}, {}


CASES = [
    Case(
        "sigmoid",
        sigmoid,
        bound,
        calls={"": _call},
        any_shape=True,
        cost=(0, 420),
        timed=(Timed({"a": (8, 32, 64, 64)}),),
    )
]

FAULTS = [
    Fault(
        "sigmoid: 1 - s forgotten",
        "sigmoid",
        "sigmoid",
        "sigmoid.backward",
        "(2)",
        "return ds * s",
        "the slope of the sigmoid is s (1 - s), not s",
    ),
    Fault(
        "sigmoid: by tanh, which loses small gates",
        "sigmoid",
        "sigmoid",
        "sigmoid",
        "(1)",
        "s = 0.5 + 0.5 * xp.tanh(0.5 * a)",
        "0.5 + 0.5 tanh(a / 2) cancels where s is small",
    ),
    Fault(
        "sigmoid_in_place: 1 - s forgotten",
        "sigmoid",
        "kernels/sigmoid_in_place",
        "_backward",
        "(2)",
        "np.subtract(1.0, 0.0 * s, out=da)",
        "the slope of the sigmoid is s (1 - s), not s",
    ),
]
