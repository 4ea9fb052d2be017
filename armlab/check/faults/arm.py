"""Wrong versions of ARM."""

from __future__ import annotations

from armlab.check.fault import Fault

FAULTS = [
    Fault(
        "ConvBNAct: activation forgotten backward",
        "ConvBNAct",
        "conv_bn_act",
        "conv_bn_back(act_back(dy), ",
        "conv_bn_back(dy, ",
        "a backward reads its forward upwards, every line of it",
    ),
    Fault(
        "PaperAttentionRefinement: context path lost",
        "PaperAttentionRefinement",
        "attention_refinement",
        "return dx + dx_pooled, grads",
        "return dx, grads",
        "x is used twice, by the gate and by the pool: both gradients belong to it",
    ),
    Fault(
        "AttentionRefinementModule: context path lost",
        "AttentionRefinementModule",
        "attention_refinement",
        "df = df + df_pooled  # f is used twice",
        "df = df + 0 * df_pooled  # f is used twice",
        "f is used twice, by the gate and by the pool: both gradients belong to it",
    ),
    Fault(
        "AttentionRefinementModule: gate upside down",
        "AttentionRefinementModule",
        "attention_refinement",
        "y, gate_back = sigmoid_gate(f, a)  # (3)",
        "y, gate_back = sigmoid_gate(f, -a)  # (3)",
        "the gate opens where the logit is positive",
    ),
    Fault(
        "AttentionRefinementModule: gate path lost",
        "AttentionRefinementModule",
        "attention_refinement",
        "df = df + df_pooled  # f is used twice",
        "df = 0 * df + df_pooled  # f is used twice",
        "f is used twice: it reaches y by the pool, and by the gate itself",
    ),
    Fault(
        "AttentionRefinementModule: batch normalisation unused",
        "AttentionRefinementModule",
        "attention_refinement",
        "a, bn_back = bn_atten(u)",
        "_, unused_back = bn_atten(u)\n    a, bn_back = u, lambda da: (da, unused_back(da)[1])",
        "batch normalisation was built and never used: the logits are not normalised",
    ),
    Fault(
        "AttentionRefinementModule: ReLU before the sigmoid",
        "AttentionRefinementModule",
        "attention_refinement",
        "a, bn_back = bn_atten(u)",
        "from armlab.hand.relu import relu\n"
        "    normed, norm_back = bn_atten(u)\n"
        "    a, relu_back = relu(normed)\n"
        "    bn_back = lambda da: norm_back(relu_back(da))",
        "a ReLU stands before the sigmoid: no gate falls below 1/2, so nothing is suppressed",
    ),
    Fault(
        "AttentionRefinementModule: pooled in windows of one pixel",
        "AttentionRefinementModule",
        "attention_refinement",
        "z, pool_back = global_avg_pool(f)  # (N, K, 1, 1)",
        "z, pool_back = f, lambda dz: dz",
        "nothing was pooled: each element got a gate of its own, from itself alone",
    ),
    Fault(
        "AttentionRefinementModule: residual added",
        "AttentionRefinementModule",
        "attention_refinement",
        "return y, backward\n\n    def gate(self, x: Array) -> Array:\n"
        '        """What `forward` multiplies f by.',
        "return f + y, lambda dy: backward(dy)\n\n    def gate(self, x: Array) -> Array:\n"
        '        """What `forward` multiplies f by.',
        "ARM multiplies and adds nothing: y = f σ(a) has no residual",
    ),
]
