"""Wrong versions of `hand/conv_attention.py`."""

from __future__ import annotations

from armlab.check.fault import Fault

FAULTS = [
    Fault(
        "ConvAttention: the 3×3 without its activation",
        "ConvAttention",
        "conv_attention",
        "ConvAttention.__init__",
        "self.conv",
        'self.conv = ConvBNAct(in_channels, out_channels, activation="leaky_relu", **made)',
        "the activation asked for stands behind the 3×3, in both kinds of networks",
    ),
]
