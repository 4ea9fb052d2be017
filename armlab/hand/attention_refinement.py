"""The attention refinement module (ARM): each channel scaled by what the whole image says of it.

f = act(BN(conv3×3(x))),  a = BN(W · GAP(f)),  y = f σ(a).  The paper has no 3×3: there f = x.
"""

from __future__ import annotations

from typing import Self, Unpack

from armlab.arrays import Array
from armlab.hand.backward import Backward, Grads, join
from armlab.hand.batch_norm import BatchNorm2d
from armlab.hand.conv2d import Conv2d
from armlab.hand.conv_bn_act import ConvBNAct
from armlab.hand.global_avg_pool import global_avg_pool
from armlab.hand.made import Made, settled
from armlab.hand.module import Module
from armlab.hand.self_gate import self_gate
from armlab.hand.sigmoid import sigmoid


def attention_logits(f: Array, conv_atten: Conv2d, bn_atten: BatchNorm2d) -> tuple[Array, Backward]:
    """The attention branch: one logit per channel from the pooled features.

    f  (N, K, H, W)
    a  (N, K, 1, 1)
    """
    z, pool_back = global_avg_pool(f)  # (N, K, 1, 1)
    u, conv_back = conv_atten(z)
    a, bn_back = bn_atten(u)

    def backward(da: Array) -> tuple[Array, Grads]:
        du, d_bn = bn_back(da)
        dz, d_conv = conv_back(du)
        return pool_back(dz), join(conv_atten=d_conv, bn_atten=d_bn)

    return a, backward


class PaperAttentionRefinement(Module):
    """ARM as in the BiSeNet paper (arXiv 1808.00897): no 3×3, the features are gated as they come.

    x, y  (N, C, H, W)

        z = GAP(x)                                                      (1)
        a = BN(W z)                                                     (2)
        y = x σ(a)                                                      (3)

    That the paper's module has no 3×3 is its author's word in yu-changqian/TorchSeg#28.
    Raises ValueError for a batch of 1 in training mode: BN (2) needs two values per channel.
    """

    attention_name = "paper-arm"
    pooled_norm = True

    def __init__(self, channels: int, **made: Unpack[Made]) -> None:
        made = settled(self, made)
        self.channels = channels
        self.conv_atten = Conv2d(channels, channels, 1, bias=False, **made)
        self.bn_atten = BatchNorm2d(channels, **made)

    def forward(self, x: Array) -> tuple[Array, Backward]:
        self.expect_features(x, self.channels, "channels")
        return self_gate(x, self._logits)  # (1, 2, 3)

    def _logits(self, x: Array) -> tuple[Array, Backward]:
        return attention_logits(x, self.conv_atten, self.bn_atten)

    def gate(self, x: Array) -> Array:
        """What `forward` multiplies x by.  (N, C, 1, 1).  Keeps running statistics as they are."""
        return sigmoid(self.copy()._logits(x)[0])[0]


class AttentionRefinementModule(Module):
    """ARM as in the article and in the public code: a 3×3 ConvBNAct, then the paper's gate.

    x  (N, C, H, W)
    y  (N, K, H, W)

        f = act(BN(conv3×3(x)))                                         (1)
        a = BN(W · GAP(f))                                              (2)
        y = f σ(a)                                                      (3)

    activation="leaky_relu" (slope 0.01) is the article's and SeAFusion's, "relu" that of the
    public BiSeNet repositories; keys are those of CoinCheung/BiSeNet.
    Raises ValueError for a batch of 1 in training mode: BN (2) needs two values per channel.
    """

    attention_name = "arm"
    pooled_norm = True

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        activation: str = "leaky_relu",
        **made: Unpack[Made],
    ) -> None:
        made = settled(self, made)
        self.in_channels, self.out_channels = in_channels, out_channels
        self.conv = ConvBNAct(in_channels, out_channels, activation=activation, **made)
        self.conv_atten = Conv2d(out_channels, out_channels, 1, bias=False, **made)
        self.bn_atten = BatchNorm2d(out_channels, **made)

    @classmethod
    def with_3x3(
        cls, in_channels: int, out_channels: int, activation: str, **made: Unpack[Made]
    ) -> Self:
        """In a network: its own 3×3 is the network's."""
        return cls(in_channels, out_channels, activation, **made)

    def forward(self, x: Array) -> tuple[Array, Backward]:
        self.expect_features(x, self.in_channels, "in_channels")
        f, conv_back = self.conv(x)  # (1)
        y, gate_back = self_gate(f, self._logits)  # (2, 3)

        def backward(dy: Array) -> tuple[Array, Grads]:
            df, d_logits = gate_back(dy)
            dx, d_conv = conv_back(df)
            return dx, join(conv=d_conv) | d_logits

        return y, backward

    def _logits(self, f: Array) -> tuple[Array, Backward]:
        return attention_logits(f, self.conv_atten, self.bn_atten)

    def gate(self, x: Array) -> Array:
        """What `forward` multiplies f by.  (N, K, 1, 1).  Keeps running statistics as they are."""
        look = self.copy()
        f, _ = look.conv(x)
        return sigmoid(look._logits(f)[0])[0]
