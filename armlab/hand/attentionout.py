"""Attentionout: the article's element-wise gate, as it is published and as it is described.

a = BN(W ∗ x) with a 1×1 W and no pooling: one gate for each element, from its own position alone.
The article calls it spatial attention; it looks at no neighbourhood.
"""

from __future__ import annotations

from typing import Unpack

from armlab.arrays import Array
from armlab.hand.backward import Backward, Grads, join
from armlab.hand.batch_norm import BatchNorm2d
from armlab.hand.conv2d import Conv2d
from armlab.hand.made import Made, settled
from armlab.hand.module import Module
from armlab.hand.self_gate import residual_self_gate, self_gate
from armlab.hand.sigmoid import sigmoid


class Attentionout(Module):
    """The published forward, which computes the residual and then returns without it.

    x, y  (N, C, H, W)

        a = BN(W ∗ x)                                                   (1)
        y = x σ(a)                                                      (2)

    Source: the article, section 5.1, and Linfeng-Tang/SeAFusion, whose code it shortens.
    """

    attention_name = "attentionout"

    def __init__(self, channels: int, **made: Unpack[Made]) -> None:
        made = settled(self, made)
        self.channels = channels
        self.conv_atten = Conv2d(channels, channels, 1, bias=False, **made)
        self.bn_atten = BatchNorm2d(channels, **made)

    def forward(self, x: Array) -> tuple[Array, Backward]:
        self.expect_features(x, self.channels, "channels")
        return self_gate(x, self._logits)  # (2)

    def _logits(self, x: Array) -> tuple[Array, Backward]:
        u, conv_back = self.conv_atten(x)
        a, bn_back = self.bn_atten(u)  # (1)

        def backward(da: Array) -> tuple[Array, Grads]:
            du, d_bn = bn_back(da)
            dx, d_conv = conv_back(du)
            return dx, join(conv_atten=d_conv, bn_atten=d_bn)

        return a, backward

    def gate(self, x: Array) -> Array:
        """What `forward` multiplies x by.  (N, C, H, W).  Keeps running statistics as they are."""
        return sigmoid(self.copy()._logits(x)[0])[0]


class ResidualAttentionout(Attentionout):
    """The forward that the article describes, with its residual.

    x, y  (N, C, H, W)

        y = x + x σ(BN(W ∗ x))                                          (3)

    A factor between 1 and 2: nothing is suppressed, and x is heard even behind a shut gate.
    """

    attention_name = "residual-attentionout"

    def forward(self, x: Array) -> tuple[Array, Backward]:
        self.expect_features(x, self.channels, "channels")
        return residual_self_gate(x, self._logits)  # (3)
