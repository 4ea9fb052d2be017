"""Wrong versions of `hand/relu.py`."""

from __future__ import annotations

from armlab.check.fault import Fault

FAULTS = [
    Fault(
        "relu: gradient at the kink",
        "relu",
        "relu",
        "relu.backward",
        "return",
        "return keep_where(x >= 0, dy)",
        "at x = 0 the convention is a gradient of 0",
    ),
    Fault(
        "relu: gradient of the output",
        "relu",
        "relu",
        "relu.backward",
        "return",
        "return keep_where(dy > 0, dy)",
        "what decides is the sign of x, not that of dy",
    ),
]
