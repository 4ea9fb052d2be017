"""Wrong versions of `hand/attentionout.py`."""

from __future__ import annotations

from armlab.check.fault import Fault

FAULTS = [
    Fault(
        "Attentionout: the path of the logits lost",
        "Attentionout",
        "attentionout",
        "Attentionout._logits.backward",
        "return",
        "return 0 * dx, join(conv_atten=d_conv, bn_atten=d_bn)",
        "x is used twice, by the gate and by the convolution: both gradients belong to it",
    ),
]
