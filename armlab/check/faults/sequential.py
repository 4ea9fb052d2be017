"""Wrong versions of `hand/sequential.py`."""

from __future__ import annotations

from armlab.check.fault import Fault

FAULTS = [
    Fault(
        "ToyNet: gradients in the order of the backward",
        "ToyNet",
        "sequential",
        "in_turn.backward",
        "return",
        "return dx, join(**grads)",
        "gradients are handed over in the order of the parameters",
    ),
]
