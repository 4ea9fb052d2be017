"""Wrong versions of `hand/three_scale_context_path.py`."""

from __future__ import annotations

from armlab.check.fault import Fault

FAULTS = [
    Fault(
        "ThreeScaleContextPath: ARM16 used twice",
        "ThreeScaleContextPath",
        "three_scale_context_path",
        "ThreeScaleContextPath.forward.backward",
        "dr16",
        "dr16 = collect(dr16, dy16)",
        "r16 is fused at two scales and has a head: three gradients add up",
    ),
]
