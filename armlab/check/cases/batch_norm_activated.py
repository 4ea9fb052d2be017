"""Batch normalisation with its activation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from armlab.check.bounds import Bounds, Exact, float64_inputs, line_up, sum_nhw
from armlab.check.case import Case
from armlab.check.cases import batch_norm
from armlab.check.example import Example
from armlab.check.record import Call, Inputs, Options, Shape, Timed
from armlab.check.sides import run_torch
from armlab.check.smooth import smooth
from armlab.check.strategies import Source

SLOPES = {"relu": 0.0, "leaky_relu": 0.01}  # where v < 0


def batch_norm_activated(s: Source) -> Example:
    return _activated(s, batch_norm.batch_norm(s))


def batch_norm_eval_activated(s: Source) -> Example:
    return _activated(s, batch_norm.batch_norm_eval(s))


def _activated(s: Source, e: Example) -> Example:
    return replace(e, options={**e.options, "activation": s.pick("relu", "leaky_relu")})


def bound(e: Example, exact: Exact, u: float) -> Bounds:
    """Through v (1), which is `batch_norm`'s, and y (2); back through dv, which is its dy.

    No slope is above 1, so y is off by as much as v, and slope v by two roundings more. dv is off
    by two roundings, and where v is nearer to 0 than it may be off, by the slope of the other side
    as well. What that does to db, dw and dx is what an error of dy does: Σ, Σ |x̂|, and (5) of
    `hand.batch_norm` for absolute values.
    """
    bounds, ddv = _of_v("batch_norm", batch_norm.bound, e, u)
    x, w, *_ = float64_inputs(e).values()
    m = max(x.shape[0] * x.shape[2] * x.shape[3], 1)
    r = 1 / np.sqrt(line_up(exact["var"]) + e.options["eps"])
    xhat = np.abs(x - line_up(exact["mean"])) * r
    db, dw = sum_nhw(ddv), sum_nhw(ddv * xhat)
    spread = ddv + line_up(db) / m + xhat * line_up(dw) / m
    bounds["y"] = bounds["y"] + 2 * u * np.abs(exact["y"])
    bounds["db"] = bounds["db"] + 2 * db
    bounds["dw"] = bounds["dw"] + 2 * dw
    bounds["dx"] = bounds["dx"] + 2 * np.abs(line_up(w)) * r * spread
    return bounds


def bound_eval(e: Example, exact: Exact, u: float) -> Bounds:
    """As in training mode, with v and the way back of `batch_norm_eval`: dx is w r dv alone."""
    bounds, ddv = _of_v("batch_norm_eval", batch_norm.bound_eval, e, u)
    x, w, *_ = float64_inputs(e).values()
    r = 1 / np.sqrt(line_up(e.options["var"]) + e.options["eps"])
    xhat = np.abs(x - line_up(e.options["mean"])) * r
    bounds["y"] = bounds["y"] + 2 * u * np.abs(exact["y"])
    bounds["db"] = bounds["db"] + 2 * sum_nhw(ddv)
    bounds["dw"] = bounds["dw"] + 2 * sum_nhw(ddv * xhat)
    bounds["dx"] = bounds["dx"] + 2 * np.abs(line_up(w)) * r * ddv
    return bounds


def _of_v(
    name: str, bound: Callable[[Example, Exact, float], Bounds], e: Example, u: float
) -> tuple[Bounds, np.ndarray]:
    """The bounds of the normalisation alone, called back with dv, and how far dv may be off."""
    slope = SLOPES[e.options["activation"]]
    options = {key: value for key, value in e.options.items() if key != "activation"}
    alone = replace(e, options=options, clean=None)
    v = run_torch(name, alone, "float64")["y"]
    dv = np.where(v > 0, e.dy, slope * e.dy)
    called = replace(alone, dy=dv)
    bounds = bound(called, run_torch(name, called, "float64"), u)
    return bounds, 2 * u * np.abs(dv) + (1 - slope) * np.abs(e.dy) * (np.abs(v) <= bounds["y"])


def _call(rng: np.random.Generator, shape: Shape) -> tuple[Inputs, Options]:
    """By turns about 1 and about -1, so that v is on one side of the kink or on the other."""
    c, (n, h, w) = shape[1], (shape[0], *shape[2:])
    turns = np.where(np.arange(n * h * w) % 2, 1.0, -1.0).reshape(n, 1, h, w)
    x = turns + rng.uniform(-0.25, 0.25, shape)
    scale = rng.choice([-1.0, 1.0], c) * rng.uniform(1, 2, c)
    return {"x": x, "w": scale, "b": 0.1 * smooth(rng, c).clip(-2, 2)}, {}


def _call_eval(rng: np.random.Generator, shape: Shape) -> tuple[Inputs, Options]:
    """By statistics near those of x, so that v is on both sides as well."""
    inputs, _ = _call(rng, shape)
    c = shape[1]
    return inputs, {"mean": rng.uniform(-0.25, 0.25, c), "var": rng.uniform(0.5, 2, c)}


def _leaky(call: Call) -> Call:
    def leaky(rng: np.random.Generator, shape: Shape) -> tuple[Inputs, Options]:
        inputs, options = call(rng, shape)
        return inputs, {**options, "activation": "leaky_relu"}

    return leaky


LEAKY = {"activation": "leaky_relu"}
CASES = [
    Case(
        "batch_norm_activated",
        batch_norm_activated,
        bound,
        calls={"": _call, "leaky": _leaky(_call)},
        cost=(0, 2100),
        timed=(Timed(batch_norm.FEATURES, LEAKY),),
    ),
    Case(
        "batch_norm_eval_activated",
        batch_norm_eval_activated,
        bound_eval,
        calls={"": _call_eval, "leaky": _leaky(_call_eval)},
        cost=(0, 840),
        timed=(Timed(batch_norm.FEATURES, LEAKY, constants=batch_norm.KEPT),),
    ),
]
