"""Wrong versions of `hand/leaky_relu.py` and of its kernels."""

from __future__ import annotations

from armlab.check.fault import Fault

FAULTS = [
    Fault(
        "leaky_relu: slope on the wrong side",
        "leaky_relu",
        "leaky_relu",
        "leaky_relu.backward",
        "(2)",
        "return xp.where(y < 0, dy, slope * dy)",
        "the slope belongs to x <= 0",
    ),
    Fault(
        "leaky_relu: no leak backward",
        "leaky_relu",
        "leaky_relu",
        "leaky_relu.backward",
        "(2)",
        "return xp.where(y > 0, dy, 0.0)",
        "what leaks forward leaks backward: slope dy where x <= 0",
    ),
    Fault(
        "leaky_relu_factor: gradient at the kink",
        "leaky_relu",
        "kernels/leaky_relu_factor",
        "leaky_relu.backward",
        "dx",
        "dx = (y >= 0).astype(y.dtype)",
        "at x = 0 the convention is the slope",
    ),
]
