"""Wrong versions of `hand/self_gate.py`."""

from __future__ import annotations

from armlab.check.fault import Fault

FAULTS = [
    Fault(
        "SingleLayerFeatureFusion: residual lost backward",
        "SingleLayerFeatureFusion",
        "self_gate",
        "residual_self_gate.backward",
        "return",
        "return dx, grads",
        "y = f + …, so dy reaches f on the direct way too",
    ),
    Fault(
        "SingleLayerFeatureFusion: the pooled way lost backward",
        "SingleLayerFeatureFusion",
        "self_gate",
        "self_gate.backward",
        "return",
        "return dx, grads",
        "f is used three times, and the gate was made from it: logits_back(da) belongs to it too",
    ),
    Fault(
        "SqueezeExcitation: context path lost",
        "SqueezeExcitation",
        "self_gate",
        "self_gate.backward",
        "return",
        "return dx, grads",
        "x is used twice, by the gate and by its logits: both gradients belong to it",
    ),
    Fault(
        "EffectiveSE: context path lost",
        "EffectiveSE",
        "self_gate",
        "self_gate.backward",
        "return",
        "return dx, grads",
        "x is used twice, by the gate and by its logits: both gradients belong to it",
    ),
    Fault(
        "ResidualAttentionout: residual lost",
        "ResidualAttentionout",
        "self_gate",
        "residual_self_gate",
        "y",
        "y = gated",
        "this is what the listing does: it computes the residual and returns without it",
    ),
    Fault(
        "ResidualAttentionout: residual lost backward",
        "ResidualAttentionout",
        "self_gate",
        "residual_self_gate.backward",
        "return",
        "return dx, grads",
        "y = x + …, so dy reaches x on the direct way too",
    ),
    Fault(
        "ListedSAR: path of the statistics lost",
        "ListedSAR",
        "self_gate",
        "self_gate.backward",
        "return",
        "return dx, grads",
        "x is used twice, by the gate and by its statistics: both gradients belong to it",
    ),
]
