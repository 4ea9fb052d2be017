"""Wrong versions of `hand/concat_channels.py`."""

from __future__ import annotations

from armlab.check.fault import Fault

FAULTS = [
    Fault(
        "concat_channels: gradients swapped",
        "concat_channels",
        "concat_channels",
        "concat_channels.backward",
        "(1)",
        "parts = dy[:, -c:, :, :], dy[:, : dy.shape[1] - c, :, :]",
        "the first c channels of dy belong to x1, the rest to x2",
    ),
]
