"""The article's network."""

from armlab.check.case import Case
from armlab.check.fault import Fault
from armlab.check.modules import network
from armlab.check.record import Built, features

CASES = [
    Case(
        "ThreeScaleBiSeNet",
        network("ThreeScaleBiSeNet", outputs=2),
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
