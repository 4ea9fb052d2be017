"""SAR: spatial attention, one gate per position, from channel mean, channel max and a 3×3.

The article's listing shortens its origin: it uses a batch normalisation that it never defines, and
it ends at the gate. Both meanings are here, each with that batch normalisation.
"""

from __future__ import annotations

from typing import Self, Unpack

from armlab.arrays import Array
from armlab.hand.backward import Backward, Grads, join
from armlab.hand.batch_norm import BatchNorm2d
from armlab.hand.channel_stats import channel_max, channel_mean, stack_statistics
from armlab.hand.conv2d import Conv2d
from armlab.hand.conv_bn_act import ConvBNAct
from armlab.hand.made import Made, settled
from armlab.hand.module import Module
from armlab.hand.self_gate import self_gate
from armlab.hand.sigmoid import sigmoid


class ListedSAR(Module):
    """SAR as the article lists it: the input, gated.

    x, y  (N, C, H, W)

        r = LReLU(BN(conv1×1(x)))          (N, mid, H, W)               (1)
        m = [mean_c r ; max_c r]           (N, 2, H, W)                 (2)
        a = BN(conv3×3(m))                 (N, 1, H, W)                 (3)
        y = x σ(a)                                                      (4)

    The listing's third argument, out_chan, has no use there, so it is not one here.
    """

    attention_name = "listed-sar"

    def __init__(self, in_channels: int, mid_channels: int, **made: Unpack[Made]) -> None:
        made = settled(self, made)
        self.in_channels = in_channels
        self.conv_reduce = ConvBNAct(
            in_channels, mid_channels, 1, padding=0, activation="leaky_relu", **made
        )
        self.conv_atten = Conv2d(2, 1, 3, padding=1, bias=False, **made)
        self.bn_atten = BatchNorm2d(1, **made)

    @classmethod
    def for_channels(cls, channels: int, **made: Unpack[Made]) -> Self:
        """In a network: on half of the channels, on one at least."""
        return cls(channels, max(channels // 2, 1), **made)

    def forward(self, x: Array) -> tuple[Array, Backward]:
        self.expect_features(x, self.in_channels, "in_channels")
        return self_gate(x, self._logits)  # (4)

    def _logits(self, x: Array) -> tuple[Array, Backward]:
        r, reduce_back = self.conv_reduce(x)  # (1)
        m, stats_back = stack_statistics(r, channel_mean, channel_max)  # (2)
        u, conv_back = self.conv_atten(m)
        a, bn_back = self.bn_atten(u)  # (3)

        def backward(da: Array) -> tuple[Array, Grads]:
            du, d_bn = bn_back(da)
            dm, d_conv = conv_back(du)
            dr = stats_back(dm)
            dx, d_reduce = reduce_back(dr)
            return dx, join(conv_reduce=d_reduce, conv_atten=d_conv, bn_atten=d_bn)

        return a, backward

    def gate(self, x: Array) -> Array:
        """What `forward` multiplies x by.  (N, 1, H, W).  Keeps running statistics as they are."""
        return sigmoid(self.copy()._logits(x)[0])[0]


class SAR(ListedSAR):
    """SAR as in its origin: the listed module, and a 3×3 ConvBNAct behind it.

    x  (N, C, H, W)
    y  (N, K, H, W)

        y = LReLU(BN(conv3×3(x σ(a))))                                  (5)

    Keys are those of the origin, Linfeng-Tang/SeAFusion: conv1, conv_reduce, conv_atten, bn_atten.
    """

    attention_name = "sar"

    def __init__(
        self, in_channels: int, mid_channels: int, out_channels: int, **made: Unpack[Made]
    ) -> None:
        made = settled(self, made)
        self.conv1 = ConvBNAct(in_channels, out_channels, activation="leaky_relu", **made)
        super().__init__(in_channels, mid_channels, **made)

    @classmethod
    def with_3x3(
        cls, in_channels: int, out_channels: int, activation: str, **made: Unpack[Made]
    ) -> Self:
        """In a network: on half of the channels, on one at least, and with LeakyReLU always."""
        return cls(in_channels, max(in_channels // 2, 1), out_channels, **made)

    def forward(self, x: Array) -> tuple[Array, Backward]:
        gated, gated_back = super().forward(x)
        y, conv1_back = self.conv1(gated)  # (5)

        def backward(dy: Array) -> tuple[Array, Grads]:
            dgated, d_conv1 = conv1_back(dy)
            dx, grads = gated_back(dgated)
            return dx, join(conv1=d_conv1) | grads

        return y, backward
