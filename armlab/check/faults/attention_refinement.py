"""Wrong versions of `hand/attention_refinement.py`."""

from __future__ import annotations

from armlab.check.fault import Fault

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
