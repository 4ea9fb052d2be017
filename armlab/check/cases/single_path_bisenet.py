"""BiSeNet without a spatial path."""

from __future__ import annotations

from armlab.check.case import Case
from armlab.check.example import Example
from armlab.check.fault import Fault
from armlab.check.modules import network
from armlab.check.record import Built, features
from armlab.check.strategies import Source


def single_path_bisenet(s: Source) -> Example:
    options = {
        "reduction": s.pick(4, 1),
        "align_corners": s.pick(True, False),
        "bias": s.pick(False, True),
    }
    return network("SinglePathBiSeNet", 3, mid_channels=(3, 5), **options)(s)


CASES = [
    Case(
        "SinglePathBiSeNet",
        single_path_bisenet,
        share=0.1,
        built=Built(
            {"classes": 4, "reduction": 2, "mid_channels": (6, 5), "width": 2},
            features(3),
            kinks="many",
            spares=1,
        ),
        held_by="pytorchcv's network, in test_families.py",
    )
]

FAULTS = [
    Fault(
        "SinglePathBiSeNet: the detail sends no gradient into the trunk",
        "SinglePathBiSeNet",
        "single_path_bisenet",
        "SinglePathBiSeNet.forward.backward",
        "dx, d_cp",
        'dx, d_cp = cp_back((None, dc8, df.get("conv_out32")), input_grad=input_grad)',
        "the trunk's features at 1/8 are fused: their gradient belongs to the trunk",
    ),
]
