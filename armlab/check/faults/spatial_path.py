"""Wrong versions of `hand/spatial_path.py`."""

from __future__ import annotations

from armlab.check.fault import Fault

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
