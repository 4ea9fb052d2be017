"""Wrong versions of `hand/sigmoid.py` and of its kernels."""

from __future__ import annotations

from armlab.check.fault import Fault

FAULTS = [
    Fault(
        "sigmoid: 1 - s forgotten",
        "sigmoid",
        "sigmoid",
        "sigmoid.backward",
        "(2)",
        "return ds * s",
        "the slope of the sigmoid is s (1 - s), not s",
    ),
    Fault(
        "sigmoid: by tanh, which loses small gates",
        "sigmoid",
        "sigmoid",
        "sigmoid",
        "(1)",
        "s = 0.5 + 0.5 * xp.tanh(0.5 * a)",
        "0.5 + 0.5 tanh(a / 2) cancels where s is small",
    ),
    Fault(
        "sigmoid_in_place: 1 - s forgotten",
        "sigmoid",
        "kernels/sigmoid_in_place",
        "sigmoid.backward",
        "da",
        "da = 1.0 - 0.0 * s",
        "the slope of the sigmoid is s (1 - s), not s",
    ),
]
