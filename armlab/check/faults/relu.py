"""Wrong versions of `hand/relu.py` and of its kernels."""

from __future__ import annotations

from armlab.check.fault import Fault

FAULTS = [
    Fault(
        "relu: gradient at the kink",
        "relu",
        "relu",
        "relu.backward",
        "(2)",
        "return xp.where(x >= 0, dy, 0.0)",
        "at x = 0 the convention is a gradient of 0",
    ),
    Fault(
        "relu: gradient of the output",
        "relu",
        "relu",
        "relu.backward",
        "(2)",
        "return xp.where(dy > 0, dy, 0.0)",
        "what decides is the sign of x, not that of dy",
    ),
    Fault(
        "relu_bits: gradient at the kink",
        "relu",
        "kernels/relu_bits",
        "relu.backward",
        "(2)",
        "return keep_where(x >= 0, dy)",
        "at x = 0 the convention is a gradient of 0",
    ),
]
