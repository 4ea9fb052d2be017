"""Batch normalisation with its activation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from armlab.check.bounds import Bounds, Exact, float64_inputs, line_up, sum_nhw
from armlab.check.case import Case
from armlab.check.cases import batch_norm
from armlab.check.example import Example
from armlab.check.fault import Fault
from armlab.check.record import Inputs, Options, Shape, Timed
from armlab.check.sides import run_torch
from armlab.check.smooth import smooth
from armlab.check.strategies import Source

SLOPES = {"relu": 0.0, "leaky_relu": 0.01}  # where v < 0


def batch_norm_activated(s: Source) -> Example:
    e = batch_norm.batch_norm(s)
    return replace(e, options={**e.options, "activation": s.pick("relu", "leaky_relu")})


def bound(e: Example, exact: Exact, u: float) -> Bounds:
    """Through v (1), which is `batch_norm`'s, and y (2); back through dv, which is its dy.

    No slope is above 1, so y is off by as much as v, and slope v by two roundings more. dv is off
    by two roundings, and where v is nearer to 0 than it may be off, by the slope of the other side
    as well. What that does to db, dw and dx is what an error of dy does: Σ, Σ |x̂|, and (5) of
    `hand.batch_norm` for absolute values.
    """
    slope, eps = SLOPES[e.options["activation"]], e.options["eps"]
    alone = replace(e, options={"eps": eps}, clean=None)
    of_v = run_torch("batch_norm", alone, "float64")
    v = of_v["y"]
    dv = np.where(v > 0, e.dy, slope * e.dy)
    bounds = batch_norm.bound(replace(alone, dy=dv), of_v, u)
    ddv = 2 * u * np.abs(dv) + (1 - slope) * np.abs(e.dy) * (np.abs(v) <= bounds["y"])
    x, w, *_ = float64_inputs(e).values()
    m = max(x.shape[0] * x.shape[2] * x.shape[3], 1)
    r = 1 / np.sqrt(line_up(exact["var"]) + eps)
    xhat = np.abs(x - line_up(exact["mean"])) * r
    db, dw = sum_nhw(ddv), sum_nhw(ddv * xhat)
    spread = ddv + line_up(db) / m + xhat * line_up(dw) / m
    bounds["y"] = bounds["y"] + 2 * u * np.abs(exact["y"])
    bounds["db"] = bounds["db"] + 2 * db
    bounds["dw"] = bounds["dw"] + 2 * dw
    bounds["dx"] = bounds["dx"] + 2 * np.abs(line_up(w)) * r * spread
    return bounds


def _call(rng: np.random.Generator, shape: Shape) -> tuple[Inputs, Options]:
    """By turns about 1 and about -1, so that v is on one side of the kink or on the other."""
    c, (n, h, w) = shape[1], (shape[0], *shape[2:])
    turns = np.where(np.arange(n * h * w) % 2, 1.0, -1.0).reshape(n, 1, h, w)
    x = turns + rng.uniform(-0.25, 0.25, shape)
    scale = rng.choice([-1.0, 1.0], c) * rng.uniform(1, 2, c)
    return {"x": x, "w": scale, "b": 0.1 * smooth(rng, c).clip(-2, 2)}, {}


def _leaky(rng: np.random.Generator, shape: Shape) -> tuple[Inputs, Options]:
    inputs, _ = _call(rng, shape)
    return inputs, {"activation": "leaky_relu"}


CASES = [
    Case(
        "batch_norm_activated",
        batch_norm_activated,
        bound,
        calls={"": _call, "leaky": _leaky},
        cost=(0, 2100),
        timed=(Timed(batch_norm.FEATURES, {"activation": "leaky_relu"}),),
    )
]

FAULTS = [
    Fault(
        "batch_norm_activated: activation forgotten backward",
        "batch_norm_activated",
        "batch_norm_activated",
        "batch_norm_activated.backward",
        "(2)",
        "dv = dy",
        "a backward reads its forward upwards, every line of it",
    ),
    Fault(
        "batch_norm_activated: activated before it is normalised",
        "batch_norm_activated",
        "batch_norm_activated",
        "batch_norm_activated",
        "(1)",
        "(v, mean, var), norm_back = batch_norm(ACTIVATIONS[activation](x)[0], w, b, eps=eps)",
        "the activation comes behind the normalisation",
    ),
]
