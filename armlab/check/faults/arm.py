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
]
