"""Wrong versions of `hand/bottleneck.py`."""

from __future__ import annotations

from armlab.check.fault import Fault

FAULTS = [
    Fault(
        "SqueezeExcitation: ReLU forgotten backward",
        "SqueezeExcitation",
        "bottleneck",
        "bottleneck.backward",
        "du",
        "du = dh",
        "a backward reads its forward upwards, every line of it",
    ),
]
