"""Wrong versions of `hand/channel_conv1d.py`."""

from __future__ import annotations

from armlab.check.fault import Fault

FAULTS = [
    Fault(
        "ECA: kernel flipped backward",
        "channel_conv1d",
        "channel_conv1d",
        "channel_conv1d.backward",
        "return",
        "dw = xp.reshape(dkernel, (1, 1, size))\n"
        "return xp.reshape(dcolumn, (n, c, 1, 1)), xp.flip(dw, axis=2)",
        "the kernel is not flipped: its gradient is in its own order",
    ),
    Fault(
        "ECA: kernel not turned backward",
        "channel_conv1d",
        "channel_conv1d",
        "channel_conv1d.backward",
        "return",
        "dcolumn, _ = conv2d(xp.reshape(da, (n, 1, c, 1)), kernel, padding=(size // 2, 0))\n"
        "return xp.reshape(dcolumn, (n, c, 1, 1)), xp.reshape(dkernel, (1, 1, size))",
        "z[c + 1] fed a[c] by the weight behind the middle: backward, the kernel is turned around",
    ),
]
