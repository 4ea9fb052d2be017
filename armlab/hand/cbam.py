"""CBAM: channel attention from mean and max, then spatial attention from max and mean."""

from __future__ import annotations

from typing import Self, Unpack

from armlab.arrays import Array
from armlab.hand.add import add, collect
from armlab.hand.backward import Backward, Grads, join
from armlab.hand.batch_norm import BatchNorm2d
from armlab.hand.bottleneck import bottleneck
from armlab.hand.channel_stats import channel_max, channel_mean, stack_statistics
from armlab.hand.conv2d import Conv2d
from armlab.hand.expect import whole
from armlab.hand.global_avg_pool import global_avg_pool
from armlab.hand.global_max_pool import global_max_pool
from armlab.hand.made import Made, settled
from armlab.hand.module import Module
from armlab.hand.self_gate import self_gate
from armlab.hand.sigmoid import sigmoid
from armlab.hand.squeeze_excitation import SqueezeExcitation


class CBAMChannel(SqueezeExcitation):
    """SE with a second opinion: the same bottleneck sees the mean and the max of each channel.

    x, y  (N, C, H, W)

        a = MLP(GAP(x)) + MLP(GMP(x)),   MLP(z) = W₂ ReLU(W₁ z + b₁) + b₂       (1)
        y = x σ(a)                                                              (2)
    """

    attention_name = "cbam-channel"

    def _logits(self, x: Array) -> tuple[Array, Backward]:
        mean, mean_back = global_avg_pool(x)
        largest, max_back = global_max_pool(x)
        a_mean, mlp_mean_back = bottleneck(mean, fc1=self.fc1, fc2=self.fc2)
        a_max, mlp_max_back = bottleneck(largest, fc1=self.fc1, fc2=self.fc2)
        a, add_back = add(a_mean, a_max)  # (1)

        def backward(da: Array) -> tuple[Array, Grads]:
            da_mean, da_max = add_back(da)
            dmax, of_max = mlp_max_back(da_max)
            dmean, of_mean = mlp_mean_back(da_mean)
            grads = {key: collect(g, of_max[key]) for key, g in of_mean.items()}  # used twice,
            return collect(mean_back(dmean), max_back(dmax)), grads  # and so is x

        return a, backward


class CBAMSpatial(Module):
    """One gate per position, from the max and the mean over the channels around it.

    x, y  (N, C, H, W), for any C

        m = [max_c x ; mean_c x]           (N, 2, H, W), the max first  (1)
        a = BN(conv7×7(m))                 (N, 1, H, W)                 (2)
        y = x σ(a)                                                      (3)

    Raises ValueError for a kernel size that is even.
    """

    attention_name = "cbam-spatial"

    def __init__(self, kernel_size: int = 7, **made: Unpack[Made]) -> None:
        made = settled(self, made)
        (kernel_size,) = whole(type(self).__name__, kernel_size=kernel_size)
        if kernel_size % 2 == 0:
            raise ValueError(
                f"{type(self).__name__} expected an odd kernel_size, got {kernel_size}: "
                "add or take 1, an even one has no middle"
            )
        self.conv = Conv2d(2, 1, kernel_size, padding=kernel_size // 2, bias=False, **made)
        self.bn = BatchNorm2d(1, **made)

    @classmethod
    def for_channels(cls, channels: int, **made: Unpack[Made]) -> Self:
        """In a network: it takes any number of channels."""
        return cls(**made)

    def forward(self, x: Array) -> tuple[Array, Backward]:
        return self_gate(x, self._logits)  # (3)

    def _logits(self, x: Array) -> tuple[Array, Backward]:
        m, stats_back = self._statistics(x)  # (1)
        u, conv_back = self.conv(m)
        a, bn_back = self.bn(u)  # (2)

        def backward(da: Array) -> tuple[Array, Grads]:
            du, d_bn = bn_back(da)
            dm, d_conv = conv_back(du)
            return stats_back(dm), join(conv=d_conv, bn=d_bn)

        return a, backward

    def _statistics(self, x: Array) -> tuple[Array, Backward]:
        return stack_statistics(x, channel_max, channel_mean)

    def gate(self, x: Array) -> Array:
        """What `forward` multiplies x by.  (N, 1, H, W).  Keeps running statistics as they are."""
        return sigmoid(self.copy()._logits(x)[0])[0]


class CBAMSpatialMeanFirst(CBAMSpatial):
    """`CBAMSpatial` with m = [mean_c x ; max_c x]; the weights of one do not fit the other."""

    attention_name = "cbam-spatial-mean-first"

    def _statistics(self, x: Array) -> tuple[Array, Backward]:
        return stack_statistics(x, channel_mean, channel_max)


class CBAM(Module):
    """Channels first, then positions: y = spatial(channel(x)).  x, y  (N, C, H, W)"""

    attention_name = "cbam"

    def __init__(self, channels: int, reduction: int = 16, **made: Unpack[Made]) -> None:
        made = settled(self, made)
        self.ch_gate = CBAMChannel(channels, reduction, **made)
        self.sp_gate = CBAMSpatial(**made)

    @classmethod
    def for_channels(cls, channels: int, **made: Unpack[Made]) -> Self:
        """In a network: with a reduction of 16, or to one channel where there are fewer."""
        return cls(channels, min(16, channels), **made)

    def forward(self, x: Array) -> tuple[Array, Backward]:
        h, channel_back = self.ch_gate(x)
        y, spatial_back = self.sp_gate(h)

        def backward(dy: Array) -> tuple[Array, Grads]:
            dh, d_spatial = spatial_back(dy)
            dx, d_channel = channel_back(dh)
            return dx, join(ch_gate=d_channel, sp_gate=d_spatial)

        return y, backward

    def gate(self, x: Array) -> Array:
        """What `forward` multiplies x by in all: channel gate times position gate.  (N, C, H, W)"""
        channel = self.ch_gate.gate(x)
        return channel * self.sp_gate.gate(x * channel)
