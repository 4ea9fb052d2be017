"""BiSeNet, and the small one that trains on a laptop."""

from __future__ import annotations

from armlab.check.case import Case
from armlab.check.example import Example
from armlab.check.fault import Fault
from armlab.check.modules import network, refinement
from armlab.check.record import Built, features
from armlab.check.strategies import Source


def bisenet(s: Source) -> Example:
    options = {
        "reduction": s.pick(None, 1, 4),
        "mode": s.pick("nearest", "bilinear"),
        "align_corners": s.pick(False, True),
        "bias": s.pick(True, False),
    }
    return network("BiSeNet", 3, mid_channels=(3, 5), **options)(s)


def toy_bisenet(s: Source) -> Example:
    return network("ToyBiSeNet", 3, attention=refinement(s))(s)


CASES = [
    Case(
        "BiSeNet",
        bisenet,
        share=0.1,
        built=Built(
            {"classes": 4, "reduction": 2, "mid_channels": (6, 5), "width": 2},
            features(3),
            kinks="many",
            spares=2,  # of both paths
        ),
        held_by="pytorchcv's network, part by part, in test_oracle.py",
    ),
    Case(
        "ToyBiSeNet",
        toy_bisenet,
        share=0.1,
        built=Built({"classes": 4, "width": 2}, features(3), kinks="many", spares=2),
        held_by="BiSeNet, from which it differs by its sizes",
    ),
]

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
