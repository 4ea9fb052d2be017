"""The spatial path of BiSeNet."""

from armlab.check.case import Case
from armlab.check.fault import Fault
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

FAULTS = [
    Fault(
        "SpatialPath: another activation",
        "SpatialPath",
        "spatial_path",
        "SpatialPath.__init__",
        "self.conv_out",
        'self.conv_out = ConvBNAct(width, 2 * width, 1, 1, 0, "leaky_relu", **made)',
        "the public repositories' paths end in ReLU; LeakyReLU is SeAFusion's",
    ),
]
