"""A 3×3 convolution, then any attention by its name."""

from __future__ import annotations

from armlab.check.case import Case
from armlab.check.example import Example
from armlab.check.fault import Fault
from armlab.check.modules import module_example
from armlab.check.record import Built, Gate, features
from armlab.check.strategies import Source
from armlab.hand.conv_attention import names_behind_a_convolution


def conv_attention(s: Source) -> Example:
    n, c, h, w = s.features((2, 1, 1, 2))
    k, attention = s.pick(3, 6), s.pick(*names_behind_a_convolution())
    options = {"in_channels": c, "out_channels": k, "attention": attention}
    options["activation"] = s.pick("leaky_relu", "relu")
    return module_example(s, "ConvAttention", options, (n, c, h, w), (n, k, h, w))


CASES = [
    Case(
        "ConvAttention",
        conv_attention,
        built=Built(
            {"in_channels": 5, "out_channels": 6, "attention": "cbam", "activation": "relu"},
            features(5),
            needed={"in_channels": 2, "out_channels": 3, "attention": "se"},
            kinks="few",
            spares=1,
        ),
        gate=Gate(
            makes=lambda module, gate, x: module.conv(x)[0] * gate,
            channels=None,  # they are the channels of its attention
            square={"in_channels": 4, "out_channels": 4, "attention": "coordinate"},
        ),
        held_by="the attention modules, each a case, and test_attention_names.py",
    )
]

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
