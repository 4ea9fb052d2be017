"""Batch normalisation in both modes, as functions and as a module."""

from __future__ import annotations

from typing import Any

import numpy as np

from armlab.check.bounds import TINY, Bounds, Exact, float64_inputs, line_up, sum_nhw
from armlab.check.case import Case
from armlab.check.example import Example
from armlab.check.modules import module_example
from armlab.check.record import Built, Inputs, Options, Shape, Timed, features
from armlab.check.smooth import smooth
from armlab.check.strategies import Source, one_number_per_channel


def batch_norm(s: Source) -> Example:
    shape = s.features(large=(5, 3, 41, 43))  # more values of a channel than one block sums
    if shape[0] * shape[2] * shape[3] == 1:  # one value per channel is refused
        shape = (2, *shape[1:])
    c = shape[1]
    inputs = {
        "x": s.array("x", shape),
        "w": one_number_per_channel(s, "w", c),
        "b": one_number_per_channel(s, "b", c),
    }
    options = {"eps": s.pick(1e-5, 1e-3)}
    return Example(inputs, options, s.array("dy", shape), layouts=s.layouts)


def batch_norm_eval(s: Source) -> Example:
    e = batch_norm(s)
    c = e.dy.shape[1]
    options = {
        **e.options,
        "mean": one_number_per_channel(s, "mean", c),
        "var": s.array("var", (c,), "positive"),
    }
    return Example(e.inputs, options, e.dy, layouts=s.layouts)


def bound(e: Example, exact: Exact, u: float) -> Bounds:
    """Through the mean (1), the variance (2), r (3) and y (4) of `hand.batch_norm` in turn.

    The mean is a sum of m terms: off by dmu. That moves the variance by dmu² only, as deviations
    from the mean cancel; its own sum adds (m + 4) u var. r is its inverse root, so half of that
    relative error. y is a product of these, and torch's alpha x + beta form doubles it.
    """
    v = float64_inputs(e)
    x, w, b, dy = v["x"], line_up(v["w"]), line_up(v["b"]), e.dy
    m = max(x.shape[0] * x.shape[2] * x.shape[3], 1)
    mean, var = exact["mean"], exact["var"]
    xc = x - line_up(mean)
    r = 1 / np.sqrt(line_up(var) + e.options["eps"])
    dmu = (m + 1) * u * sum_nhw(np.abs(x)) / m
    dvar = dmu**2 + (m + 4) * u * var
    dmu_, dr = line_up(dmu), np.minimum(line_up(dvar) * r**2, 1) / 2 + 3 * u  # dr: relative
    y = 2 * (
        np.abs(w) * r * (dmu_ + u * np.abs(xc) + np.abs(xc) * (dr + 2 * u))
        + u * np.abs(exact["y"])
        + u * np.abs(b)
    )
    xhat = xc * r
    dxhat = r * (dmu_ + 2 * u * np.abs(xc)) + np.abs(xhat) * dr
    db = (m + 1) * u * sum_nhw(np.abs(dy))
    dw = (m + 2) * u * sum_nhw(np.abs(dy * xhat)) + sum_nhw(np.abs(dy) * dxhat)
    along = np.abs(line_up(sum_nhw(dy * xhat))) / m
    size = np.abs(dy) + np.abs(line_up(sum_nhw(dy))) / m + np.abs(xhat) * along
    spread = line_up(db) / m + np.abs(xhat) * line_up(dw) / m + dxhat * along
    dx = 2 * np.abs(w) * r * (4 * u * size + spread + size * dr)
    bounds = {"y": y, "mean": dmu, "var": dvar + 2 * u * var, "dx": dx, "dw": dw, "db": db}
    return {name: b + TINY for name, b in bounds.items()}


def bound_eval(e: Example, exact: Exact, u: float) -> Bounds:
    """The statistics are given, so only the products round: six of them, and the sums."""
    v = float64_inputs(e)
    x, w, b, dy = v["x"], line_up(v["w"]), line_up(v["b"]), e.dy
    mean = line_up(e.options["mean"])
    r = 1 / np.sqrt(line_up(e.options["var"]) + e.options["eps"])
    m = max(x.shape[0] * x.shape[2] * x.shape[3], 1)
    reach = r * (np.abs(x) + np.abs(mean))
    return {
        "y": u * (6 * np.abs(w) * reach + np.abs(b) + np.abs(exact["y"])) + TINY,
        "dx": 6 * u * np.abs(exact["dx"]) + TINY,
        "dw": (m + 6) * u * sum_nhw(np.abs(dy) * reach) + TINY,
        "db": (m + 1) * u * sum_nhw(np.abs(dy)) + TINY,
    }


def module(s: Source) -> Example:
    shape = s.features((2, 1, 1, 1))
    options = {"num_features": shape[1], "momentum": s.pick(0.1, 0.25)}
    return module_example(s, "BatchNorm2d", options, shape, shape)


def _call(rng: np.random.Generator, shape: Shape) -> tuple[Inputs, Options]:
    c = shape[1]
    return {"x": smooth(rng, *shape), "w": smooth(rng, c), "b": smooth(rng, c)}, {}


def _call_eval(rng: np.random.Generator, shape: Shape) -> tuple[Inputs, Options]:
    inputs, _ = _call(rng, shape)
    c = shape[1]
    return inputs, {"mean": smooth(rng, c), "var": rng.uniform(0.5, 2, c)}


VECTOR = (32,)
KEPT: dict[str, Any] = {"mean": VECTOR, "var": VECTOR}
FEATURES: dict[str, Any] = {"x": (8, 32, 64, 64), "w": VECTOR, "b": VECTOR}
CASES = [
    Case(
        "batch_norm",
        batch_norm,
        bound,
        calls={"": _call},
        cost=(0, 1680),
        timed=(Timed(FEATURES),),
    ),
    Case(
        "batch_norm_eval",
        batch_norm_eval,
        bound_eval,
        calls={"": _call_eval},
        cost=(0, 420),
        timed=(Timed(FEATURES, constants=KEPT),),
    ),
    Case(
        "BatchNorm2d",
        module,
        built=Built({"num_features": 5, "eps": 1e-3, "momentum": 0.2}, features(5)),
        held_by="PyTorch's own layer, nn.BatchNorm2d",
    ),
]
