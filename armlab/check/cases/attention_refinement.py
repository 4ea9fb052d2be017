"""Both attention refinement modules."""

from __future__ import annotations

from armlab.check.case import Case
from armlab.check.example import Example
from armlab.check.fault import Fault
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

FAULTS = [
    Fault(
        "AttentionRefinementModule: batch normalisation unused",
        "AttentionRefinementModule",
        "attention_refinement",
        "attention_logits",
        "a, bn_back",
        "_, unused_back = bn_atten(u)\na, bn_back = u, lambda da: (da, unused_back(da)[1])",
        "batch normalisation was built and never used: the logits are not normalised",
    ),
    Fault(
        "AttentionRefinementModule: ReLU before the sigmoid",
        "AttentionRefinementModule",
        "attention_refinement",
        "attention_logits",
        "a, bn_back",
        "from armlab.hand.relu import relu\n"
        "normed, norm_back = bn_atten(u)\n"
        "a, relu_back = relu(normed)\n"
        "bn_back = lambda da: norm_back(relu_back(da))",
        "a ReLU stands before the sigmoid: no gate falls below 1/2, so nothing is suppressed",
    ),
    Fault(
        "AttentionRefinementModule: pooled in windows of one pixel",
        "AttentionRefinementModule",
        "attention_refinement",
        "attention_logits",
        "z, pool_back",
        "z, pool_back = f, lambda dz: dz",
        "nothing was pooled: each element got a gate of its own, from itself alone",
    ),
    Fault(
        "AttentionRefinementModule: residual added",
        "AttentionRefinementModule",
        "attention_refinement",
        "AttentionRefinementModule.forward",
        "return",
        "return f + y, lambda dy: backward(dy)",
        "ARM multiplies and adds nothing: y = f σ(a) has no residual",
    ),
]
