"""Wrong versions of `hand/coordinate_attention.py`."""

from __future__ import annotations

from armlab.check.fault import Fault

FAULTS = [
    Fault(
        "CoordinateAttention: columns lost backward",
        "CoordinateAttention",
        "coordinate_attention",
        "CoordinateAttention._strips.backward",
        "dx",
        "dx = rows_back(drows)",
        "x is used by the means of the rows and of the columns: both gradients belong to it",
    ),
    Fault(
        "CoordinateAttention: one gate passed by",
        "CoordinateAttention",
        "coordinate_attention",
        "CoordinateAttention.forward.backward",
        "dx, da_w",
        "dx, da_w = w_back(dy)",
        "y = x σ(a_w) σ(a_h): dy reaches the column gate through the row gate",
    ),
]
