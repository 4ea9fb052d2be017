"""Wrong versions of `hand/eca.py`."""

from __future__ import annotations

from armlab.check.fault import Fault

FAULTS = [
    Fault(
        "ChannelConv1d: weight gradient halved",
        "ChannelConv1d",
        "eca",
        "ChannelConv1d.forward.backward",
        "return",
        'return dz, {"weight": 0.5 * dw}',
        "a factor crept in",
    ),
    Fault(
        "ECA: pool forgotten backward",
        "ECA",
        "eca",
        "ECA._logits.backward",
        "return",
        "return dz + 0 * pool_back(dz), join(conv=d_conv)",
        "each pixel had a share of 1 / HW in the mean, so it receives that share of dz",
    ),
]
