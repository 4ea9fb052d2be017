"""Wrong versions of `hand/bisenet.py`."""

from __future__ import annotations

from armlab.check.fault import Fault

FAULTS = [
    Fault(
        "BiSeNet: auxiliary head of 1/8 lost",
        "BiSeNet",
        "bisenet",
        "BiSeNet.forward.backward",
        "dc8",
        "pass",
        "c8 is fused and has a head of its own: both gradients belong to it",
    ),
    Fault(
        "ToyBiSeNet: the spatial path alone reaches the image",
        "ToyBiSeNet",
        "bisenet",
        "BiSeNet.forward.backward",
        "dx",
        "dx = dx_sp if input_grad else None",
        "the image goes into both paths: their gradients add up",
    ),
]
