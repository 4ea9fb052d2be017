"""SimAM, and its logits as a function."""

from __future__ import annotations

from functools import partial

import numpy as np

from armlab.check import plain
from armlab.check.bounds import TINY, Bounds, Exact, float64_inputs, product
from armlab.check.case import Case
from armlab.check.example import Example
from armlab.check.fault import Fault
from armlab.check.modules import module_example
from armlab.check.record import Built, Gate, Timed, features
from armlab.check.smooth import of_x, smooth
from armlab.check.strategies import Source


def simam_logits(s: Source) -> Example:
    shape = s.features((1, 1, 1, 2))
    x = s.array("x", shape)
    options = {"lambda_": s.pick(1e-4, 0.1)}
    return Example({"x": x}, options, s.array("dy", shape), layouts=s.layouts)


def bound(e: Example, exact: Exact, u: float) -> Bounds:
    """Through (1) to (7) of `hand.simam_logits` in turn, each value with its error.

    The mean is off by dmu, and so is every d, by u |d| more. In v, as deviations from the mean
    cancel, dmu counts only squared, m dmu² / (m - 1) <= 2 dmu²; the sum adds (m + 4) u v. As v
    only grows by dmu², q shrinks by no more than all of itself. What follows are sums of m terms
    and products of two such values; torch divides by v + λ where the code by hand multiplies by
    q, which rounds twice more.
    """
    (x,) = float64_inputs(e).values()
    m, dy = x.shape[2] * x.shape[3], e.dy
    k, over = 4 / (m - 1), {"axis": (2, 3), "keepdims": True}
    d = x - x.mean(**over)
    spread = (d * d).sum(**over) / (m - 1) + e.options["lambda_"]
    q = 1 / (4 * spread)
    dmu = (m + 1) * u * np.abs(x).mean(**over)
    dd = dmu + u * np.abs(d)
    dq = q * (np.minimum((2 * dmu**2 + (m + 4) * u * spread) / spread, 1) + 4 * u)
    energy, denergy = product(*product(d, dd, d, dd, u), q, dq, 2 * u)
    total = np.abs(dy * energy).sum(**over)  # Σ |da e|
    dtotal = (np.abs(dy) * denergy).sum(**over)
    dtotal += (m + 4) * u * (total + dtotal)
    share = dy - k * (dy * energy).sum(**over)  # the bracket of (6)
    dshare = k * dtotal + 6 * u * (np.abs(dy) + k * total)
    g, dg = product(*product(2 * d, 2 * dd, q, dq, u), share, dshare, 2 * u)
    mean_error = dg.mean(**over) + (m + 2) * u * (np.abs(g) + dg).mean(**over)
    dx = dg + mean_error + u * np.abs(exact["dx"])
    return {"y": denergy + u * (np.abs(exact["y"]) + denergy) + TINY, "dx": dx + TINY}


def simam(s: Source) -> Example:
    shape = s.features((1, 1, 1, 2))
    return module_example(s, "SimAM", {"lambda_": s.pick(1e-4, 0.1)}, shape, shape)


def formula(p: plain.Weights, training: bool, x: plain.Value, lambda_: float) -> plain.Value:
    def element(n: int, c: int, i: int, j: int) -> float:
        values = [value for row in x[n][c] for value in row]
        mu = plain.mean(values)
        v = sum((value - mu) ** 2 for value in values) / (len(values) - 1)
        a = (x[n][c][i][j] - mu) ** 2 / (4 * (v + lambda_)) + 0.5
        return x[n][c][i][j] * plain.sigmoid(a)

    return plain.build(plain.shape(x), element)


LAMBDA = 0.01
CASES = [
    Case(
        "simam_logits",
        simam_logits,
        bound,
        calls={"": of_x(smooth), "a large λ": of_x(smooth, lambda_=1.0)},
        cost=(0, 1680),
        timed=(Timed({"x": (8, 32, 64, 64)}),),
    ),
    Case(
        "SimAM",
        simam,
        built=Built({"lambda_": LAMBDA}, features(5), any_channels=True),
        gate=Gate(pointwise=True),
        formula=partial(formula, lambda_=LAMBDA),
    ),
]

FAULTS = [
    Fault(
        "simam_logits: variance by H W",
        "simam_logits",
        "simam",
        "simam_logits",
        "(2)",
        "v = position_sum(d * d) / m",
        "this variance is the unbiased one: divide by H W - 1",
    ),
    Fault(
        "simam_logits: one half forgotten",
        "simam_logits",
        "simam",
        "simam_logits",
        "(5)",
        "a = e + 0.0",
        "SimAM's logits begin at 1/2: equation (5)",
    ),
    Fault(
        "simam_logits: gradient through the variance forgotten",
        "simam_logits",
        "simam",
        "simam_logits.backward",
        "(6)",
        "dd = 2.0 * q * d * da",
        "the variance moves with every x: its path takes 4 Σ da e / (m - 1) away",
    ),
    Fault(
        "simam_logits: gradient through the mean forgotten",
        "simam_logits",
        "simam",
        "simam_logits.backward",
        "(7)",
        "return dd",
        "the mean moves with every x: subtract the mean of dL/dd",
    ),
    Fault(
        "SimAM: lambda_ not handed on",
        "SimAM",
        "simam",
        "SimAM._logits",
        "a, logits_back",
        "a, logits_back = simam_logits(x)",
        "the module was built with a lambda_ of its own",
    ),
    Fault(
        "simam_in_place: gradient through the variance forgotten",
        "simam_logits",
        "kernels/simam_in_place",
        "simam_logits.backward",
        "dd",
        "dd = da + 0.0",
        "the variance moves with every x: its path takes 4 Σ da e / (m - 1) away",
    ),
    Fault(
        "simam_in_place: gradient through the mean forgotten",
        "simam_logits",
        "kernels/simam_in_place",
        "simam_logits.backward",
        "(7)",
        "pass",
        "the mean moves with every x: subtract the mean of dL/dd",
    ),
]
