"""Wrong versions of `hand/three_scale_bisenet.py`."""

from __future__ import annotations

from armlab.check.fault import Fault

FAULTS = [
    Fault(
        "ThreeScaleBiSeNet: auxiliary gradient dropped",
        "ThreeScaleBiSeNet",
        "three_scale_bisenet",
        "ThreeScaleBiSeNet.forward.backward",
        "dx, d_cp",
        'dx, d_cp = cp_back((dc["conv_out"], None), input_grad=input_grad)',
        "in training both heads send their gradients into the path",
    ),
]
