"""Wrong versions of `hand/leaky_relu.py`."""

from __future__ import annotations

from armlab.check.fault import Fault

FAULTS = [
    Fault(
        "leaky_relu: slope on the wrong side",
        "leaky_relu",
        "leaky_relu",
        "leaky_relu.backward",
        "dx",
        "dx = in_place(clip, xp.astype(y < 0, y.dtype), slope)",
        "the slope belongs to x <= 0",
    ),
    Fault(
        "leaky_relu: no leak backward",
        "leaky_relu",
        "leaky_relu",
        "leaky_relu.backward",
        "dx",
        "dx = xp.astype(y > 0, y.dtype)",
        "what leaks forward leaks backward: slope dy where x <= 0",
    ),
]
