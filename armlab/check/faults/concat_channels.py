"""Wrong versions of `hand/concat_channels.py`."""

from __future__ import annotations

from armlab.check.fault import Fault

FAULTS = [
    Fault(
        "concat_channels: gradients swapped",
        "concat_channels",
        "concat_channels",
        "concat_channels.backward",
        "return",
        "dx1 = xp.asarray(dy[:, -c:, :, :], copy=True)\n"
        "dx2 = xp.asarray(dy[:, : dy.shape[1] - c, :, :], copy=True)\n"
        "return dx1, dx2",
        "the first c channels of dy belong to x1, the rest to x2",
    ),
]
