"""The context path of the article's network, with ARM8."""

from armlab.check.case import Case
from armlab.check.fault import Fault
from armlab.check.modules import path
from armlab.check.record import Built, features

CASES = [
    Case(
        "ThreeScaleContextPath",
        path("ThreeScaleContextPath", {8: 2, 16: 2}),
        share=0.1,
        built=Built({"width": 2}, features(3), kinks="many", spares=1),
        held_by="its parts, each a case, and test_article.py",
    )
]

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
