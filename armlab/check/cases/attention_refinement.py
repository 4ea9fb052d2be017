"""Both attention refinement modules."""

from __future__ import annotations

from armlab.check.case import Case
from armlab.check.example import Example
from armlab.check.modules import by_channels, module_example
from armlab.check.record import ATTEN, Built, Gate, conv_bn_axes, features
from armlab.check.strategies import Source


def arm(s: Source) -> Example:
    n, c, h, w = s.features((2, 1, 1, 1))
    k = s.pick(2, 6)
    activation = s.pick("leaky_relu", "relu")
    s.note(f"activation: {activation}")
    options = {"in_channels": c, "out_channels": k, "activation": activation}
    return module_example(s, "AttentionRefinementModule", options, (n, c, h, w), (n, k, h, w))


CASES = [
    Case(
        "PaperAttentionRefinement",
        by_channels("PaperAttentionRefinement"),
        built=Built({"channels": 6}, features(6)),
        gate=Gate(biases=("bn_atten.bias",), pointwise=True, channels=ATTEN),
        held_by="the AttentionRefinementModule, whose gate it is: test_attention_names.py",
    ),
    Case(
        "AttentionRefinementModule",
        arm,
        built=Built(
            {"in_channels": 8, "out_channels": 4, "activation": "relu"},
            features(8),
            kinks="few",
        ),
        gate=Gate(
            makes=lambda arm, gate, x: arm.conv(x)[0] * gate,
            biases=("bn_atten.bias",),
            channels=conv_bn_axes("conv.conv", "conv.bn", (0, 1)) | ATTEN,
            square={"in_channels": 4, "out_channels": 4},
        ),
        held_by="pytorchcv's AttentionRefinementBlock, in test_oracle.py",
    ),
]
