"""Efficient channel attention (ECA): logits from a channel's neighbours, a handful of weights."""

from __future__ import annotations

import math
from typing import Unpack

from armlab.arrays import Array, DType, Rng, generator, normal
from armlab.hand.backward import Backward, Grads, join
from armlab.hand.channel_conv1d import channel_conv1d
from armlab.hand.expect import whole
from armlab.hand.global_avg_pool import global_avg_pool
from armlab.hand.made import Made, settled
from armlab.hand.module import Module
from armlab.hand.self_gate import self_gate
from armlab.hand.sigmoid import sigmoid
from armlab.places import Device, place


def eca_kernel_size(channels: int) -> int:
    """t = int(|log₂ C + 1| / 2), made odd, and at least 3."""
    t = int(abs(math.log2(channels) + 1) / 2)
    return max(t if t % 2 else t + 1, 3)


class ChannelConv1d(Module):
    """`channel_conv1d` with a kernel of its own, drawn normal with variance 1 / R."""

    parameter_names = ("weight",)

    def __init__(
        self, kernel_size: int, *, rng: Rng = None, dtype: DType = "float32", device: Device = "cpu"
    ) -> None:
        (kernel_size,) = whole(type(self).__name__, kernel_size=kernel_size)
        if kernel_size % 2 == 0:
            raise ValueError(
                f"ChannelConv1d expected an odd kernel_size, got {kernel_size}: add or take 1"
            )
        self.kernel_size = kernel_size
        drawn = normal(generator(rng), (1, 1, kernel_size), kernel_size**-0.5, dtype)
        self.weight = place(device).asarray(drawn)

    def forward(self, z: Array) -> tuple[Array, Backward]:
        a, conv_back = channel_conv1d(z, self.weight)

        def backward(da: Array) -> tuple[Array, Grads]:
            dz, dw = conv_back(da)
            return dz, {"weight": dw}

        return a, backward

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}"


class ECA(Module):
    """Scale each channel by a gate from the means of its neighbours among the channels.

    x, y  (N, C, H, W);   w (1, 1, R), with R from `eca_kernel_size` unless given

        a = conv1d(GAP(x))                                              (1)
        y = x σ(a)                                                      (2)

    Where ARM has C² weights, this has R. Raises ValueError for an even kernel size.
    """

    attention_name = "eca"

    def __init__(self, channels: int, kernel_size: int | None = None, **made: Unpack[Made]) -> None:
        made = settled(self, made)
        (channels,) = whole(type(self).__name__, channels=channels)
        size = eca_kernel_size(channels) if kernel_size is None else kernel_size
        self.channels = channels
        self.conv = ChannelConv1d(size, **made)

    def forward(self, x: Array) -> tuple[Array, Backward]:
        self.expect_features(x, self.channels, "channels")
        return self_gate(x, self._logits)  # (2)

    def _logits(self, x: Array) -> tuple[Array, Backward]:
        z, pool_back = global_avg_pool(x)
        a, conv_back = self.conv(z)  # (1)

        def backward(da: Array) -> tuple[Array, Grads]:
            dz, d_conv = conv_back(da)
            return pool_back(dz), join(conv=d_conv)

        return a, backward

    def gate(self, x: Array) -> Array:
        """What `forward` multiplies x by.  (N, C, 1, 1)"""
        return sigmoid(self._logits(x)[0])[0]
