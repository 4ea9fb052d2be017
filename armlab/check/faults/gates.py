"""Wrong activations and wrong gates."""

from __future__ import annotations

from armlab.check.fault import Fault

FAULTS = [
    Fault(
        "relu: gradient at the kink",
        "relu",
        "relu",
        "keep_where(y != 0, dy)",
        "keep_where(x >= 0, dy)",
        "at x = 0 the convention is a gradient of 0",
    ),
    Fault(
        "relu: gradient of the output",
        "relu",
        "relu",
        "keep_where(y != 0, dy)",
        "keep_where(dy > 0, dy)",
        "what decides is the sign of x, not that of dy",
    ),
    Fault(
        "leaky_relu: slope on the wrong side",
        "leaky_relu",
        "leaky_relu",
        "xp.astype(y > 0, y.dtype)",
        "xp.astype(y < 0, y.dtype)",
        "the slope belongs to x <= 0",
    ),
    Fault(
        "leaky_relu: no leak backward",
        "leaky_relu",
        "leaky_relu",
        "in_place(clip, xp.astype(y > 0, y.dtype), slope)",
        "xp.astype(y > 0, y.dtype)",
        "what leaks forward leaks backward: slope dy where x <= 0",
    ),
    Fault(
        "sigmoid: 1 - s forgotten",
        "sigmoid",
        "sigmoid",
        "da = 1.0 - s",
        "da = 1.0 - 0.0 * s",
        "the slope of the sigmoid is s (1 - s), not s",
    ),
    Fault(
        "sigmoid: by tanh, which loses small gates",
        "sigmoid",
        "sigmoid",
        "s = in_place(xp.divide, e, 1.0 + e)",
        "s = 0.5 + 0.5 * xp.tanh(0.5 * a)",
        "0.5 + 0.5 tanh(a / 2) cancels where s is small",
    ),
    Fault(
        "sigmoid_gate: mean for sum",
        "sigmoid_gate",
        "sigmoid_gate",
        "else dy * x, s.shape)",
        "else dy * x, s.shape) * (s.size / x.size if x.size else 1.0)",
        "this is what comes out when the gradients of a repeated gate are averaged: "
        "one s feeds many y, and their gradients add up",
    ),
    Fault(
        "sigmoid_gate: gradient of a repeated gate not summed",
        "sigmoid_gate",
        "sigmoid_gate",
        "return dx, sigmoid_back(ds)",
        "return dx, dy * x * s * (1.0 - s)",
        "this is what comes out when the gradient of a broadcast gate is not summed: "
        "da must have the shape of a",
    ),
    Fault(
        "sigmoid_gate: 1 - s forgotten",
        "sigmoid_gate",
        "sigmoid_gate",
        "return dx, sigmoid_back(ds)",
        "return dx, ds * s",
        "ds/da is s (1 - s): the factor 1 - s is missing",
    ),
    Fault(
        "sigmoid_gate: gradient at the logit is that of the gate",
        "sigmoid_gate",
        "sigmoid_gate",
        "return dx, sigmoid_back(ds)",
        "return dx, ds",
        "this is ds; the sigmoid still lies between s and a",
    ),
    Fault(
        "sigmoid_gate: residual added",
        "sigmoid_gate",
        "sigmoid_gate",
        "y = x * s  # (2)",
        "y = x + x * s  # (2)",
        "this gate multiplies and adds nothing; with a residual, dx would be dy (1 + s)",
    ),
    Fault(
        "sigmoid_gate: residual added backward",
        "sigmoid_gate",
        "sigmoid_gate",
        "dx = dy * s",
        "dx = dy * (1.0 + s)",
        "dy (1 + s) belongs to y = x + x s; here there is no residual, so dx = dy s",
    ),
    Fault(
        "sigmoid_gate: dx not gated",
        "sigmoid_gate",
        "sigmoid_gate",
        "dx = dy * s",
        "dx = dy",
        "y = x s, so dy reaches x through the gate: dx = dy s",
    ),
]
