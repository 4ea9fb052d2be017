"""The article's network."""

from armlab.check.case import Case
from armlab.check.example import Example
from armlab.check.fault import Fault
from armlab.check.modules import network
from armlab.check.record import Built, features
from armlab.check.strategies import Source


def three_scale_bisenet(s: Source) -> Example:
    return network("ThreeScaleBiSeNet", outputs=2, align_corners=s.pick(True, False))(s)


CASES = [
    Case(
        "ThreeScaleBiSeNet",
        three_scale_bisenet,
        share=0.1,
        built=Built({"classes": 4, "width": 2}, features(3), kinks="many", spares=1),
        held_by="its parts, each a case, and test_article.py",
    )
]

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
