"""Sigmoid gating, with a gate for each channel, position or element."""

from __future__ import annotations

import math

import numpy as np

from armlab.check.bounds import TINY, Bounds, Exact, float64_inputs
from armlab.check.case import Case
from armlab.check.example import Example
from armlab.check.fault import Fault
from armlab.check.record import Call, Inputs, Options, Shape, Timed
from armlab.check.smooth import smooth
from armlab.check.strategies import Source


def _gate_shape(gate: str, shape: Shape) -> Shape:
    n, c, h, w = shape
    return {"channel": (n, c, 1, 1), "position": (n, 1, h, w), "element": shape}[gate]


def sigmoid_gate(s: Source) -> Example:
    shape = s.features()
    gate = s.pick("channel", "position", "element")
    s.note(f"gate: {gate}")
    x = s.array("x", shape)
    a = s.array("a", _gate_shape(gate, shape), s.pick("floats", "wide", "ties"))
    return Example({"x": x, "a": a}, {}, s.array("dy", shape), layouts=s.layouts)


def sigmoid_gate_exact(s: Source) -> Example:
    """Gates that are powers of two: σ(0) = 1/2."""
    e = sigmoid_gate(s)
    x, a = e.inputs["x"], e.inputs["a"]
    assert a is not None
    return Example({"x": x, "a": 0 * a}, {}, e.dy, layouts=s.layouts)


def bound(e: Example, exact: Exact, u: float) -> Bounds:
    """The gate is off by 5 u s; da is a sum over the repeats of s, then the sigmoid's backward."""
    v = float64_inputs(e)
    x, a, dy = v["x"], v["a"], e.dy
    small = np.exp(-np.abs(a))
    s = np.where(a >= 0, 1.0, small) / (1 + small)
    repeats = tuple(i for i in range(4) if a.shape[i] == 1)
    n = max(math.prod(x.shape[i] for i in repeats), 1)
    size = np.abs(dy * x).sum(axis=repeats, keepdims=True)  # Σ |dy x| >= |ds|
    slope = np.abs(s * (1 - s))
    da = slope * (n + 5) * u * size + size * np.abs(1 - 2 * s) * (5 * u * s + TINY)
    ds_small = size * 4 * u * slope
    return {
        "y": 6 * u * np.abs(exact["y"]) + np.abs(x) * TINY + TINY,
        "dx": 6 * u * np.abs(exact["dx"]) + np.abs(dy) * TINY + TINY,
        "da": da + ds_small + TINY * (n + 1),
    }


def _call(gate: str) -> Call:
    def call(rng: np.random.Generator, shape: Shape) -> tuple[Inputs, Options]:
        return {"x": smooth(rng, *shape), "a": smooth(rng, *_gate_shape(gate, shape))}, {}

    return call


CASES = [
    Case(
        "sigmoid_gate",
        sigmoid_gate,
        bound,
        sigmoid_gate_exact,
        calls={"": _call("channel"), "position": _call("position"), "element": _call("element")},
        cost=(0, 432),
        timed=(
            Timed({"x": (8, 32, 64, 64), "a": (8, 32, 1, 1)}),
            Timed({"x": (8, 32, 64, 64), "a": (8, 1, 64, 64)}, name="sigmoid_gate-spatial"),
        ),
    )
]

FAULTS = [
    Fault(
        "sigmoid_gate: mean for sum",
        "sigmoid_gate",
        "sigmoid_gate",
        "sigmoid_gate.backward",
        "(4)",
        "share = s.size / x.size if x.size else 1.0\nds = unbroadcast(dy * x, s.shape) * share",
        "this is what comes out when the gradients of a repeated gate are averaged: one s "
        "feeds many y, and their gradients add up",
    ),
    Fault(
        "sigmoid_gate: gradient of a repeated gate not summed",
        "sigmoid_gate",
        "sigmoid_gate",
        "sigmoid_gate.backward",
        "return",
        "return dx, dy * x * s * (1.0 - s)",
        "this is what comes out when the gradient of a broadcast gate is not summed: da must "
        "have the shape of a",
    ),
    Fault(
        "sigmoid_gate: 1 - s forgotten",
        "sigmoid_gate",
        "sigmoid_gate",
        "sigmoid_gate.backward",
        "return",
        "return dx, ds * s",
        "ds/da is s (1 - s): the factor 1 - s is missing",
    ),
    Fault(
        "sigmoid_gate: gradient at the logit is that of the gate",
        "sigmoid_gate",
        "sigmoid_gate",
        "sigmoid_gate.backward",
        "return",
        "return dx, ds",
        "this is ds; the sigmoid still lies between s and a",
    ),
    Fault(
        "sigmoid_gate: residual added",
        "sigmoid_gate",
        "sigmoid_gate",
        "sigmoid_gate",
        "(2)",
        "y = x + x * s",
        "this gate multiplies and adds nothing; with a residual, dx would be dy (1 + s)",
    ),
    Fault(
        "sigmoid_gate: residual added backward",
        "sigmoid_gate",
        "sigmoid_gate",
        "sigmoid_gate.backward",
        "(3)",
        "dx = dy * (1.0 + s)",
        "dy (1 + s) belongs to y = x + x s; here there is no residual, so dx = dy s",
    ),
    Fault(
        "sigmoid_gate: dx not gated",
        "sigmoid_gate",
        "sigmoid_gate",
        "sigmoid_gate.backward",
        "(3)",
        "dx = dy",
        "y = x s, so dy reaches x through the gate: dx = dy s",
    ),
    Fault(
        "SingleLayerFeatureFusion: sigmoid forgotten backward",
        "SingleLayerFeatureFusion",
        "sigmoid_gate",
        "sigmoid_gate.backward",
        "return",
        "return dx, ds",
        "logits_back wants da, not ds: multiply by s (1 - s) first",
    ),
    Fault(
        "sigmoid_gate_dot: product with y",
        "sigmoid_gate",
        "kernels/sigmoid_gate_dot",
        "sigmoid_gate.backward",
        "(4)",
        "ds = unbroadcast(position_dot(dy, y) if one_per_channel else dy * x, s.shape)",
        "ds is Σ dy x: y has the gate in it already",
    ),
]
