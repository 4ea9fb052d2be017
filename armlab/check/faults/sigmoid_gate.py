"""Wrong versions of `hand/sigmoid_gate.py` and of its kernels."""

from __future__ import annotations

from armlab.check.fault import Fault

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
