"""The spatial path of BiSeNet."""

from armlab.check.case import Case
from armlab.check.modules import path
from armlab.check.record import Built, features

CASES = [
    Case(
        "SpatialPath",
        path("SpatialPath", {8: 2}),
        share=0.25,
        built=Built({"width": 3}, features(3), kinks="many", spares=1),
        held_by="its layers, each a case",
    )
]
