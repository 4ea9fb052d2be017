"""Wrong versions of `hand/squeeze_excitation.py`."""

from __future__ import annotations

from armlab.check.fault import Fault

FAULTS = [
    Fault(
        "SqueezeExcitation: pool forgotten backward",
        "SqueezeExcitation",
        "squeeze_excitation",
        "SqueezeExcitation._logits.backward",
        "return",
        "return dz + 0 * pool_back(dz), grads",
        "each pixel had a share of 1 / HW in the mean, so it receives that share of dz",
    ),
]
