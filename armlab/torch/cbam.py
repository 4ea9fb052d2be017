"""CBAM: channel attention from mean and max, then spatial attention from max and mean."""

import copy
from typing import Self

import torch
from torch import Tensor, nn

from armlab.torch.batch_norm import BatchNorm2d
from armlab.torch.channel_stats import channel_max, channel_mean
from armlab.torch.conv2d import Conv2d
from armlab.torch.global_avg_pool import global_avg_pool
from armlab.torch.global_max_pool import global_max_pool
from armlab.torch.sigmoid_gate import sigmoid_gate
from armlab.torch.squeeze_excitation import SqueezeExcitation


class CBAMChannel(SqueezeExcitation):
    """y = x σ(MLP(GAP(x)) + MLP(GMP(x))), x and y (N, C, H, W)."""

    attention_name = "cbam-channel"

    def logits(self, x: Tensor) -> Tensor:
        return self.mlp(global_avg_pool(x)) + self.mlp(global_max_pool(x))


class CBAMSpatial(nn.Module):
    """y = x σ(BN(conv7×7([max_c x ; mean_c x]))), x and y (N, C, H, W)."""

    attention_name = "cbam-spatial"

    def __init__(self, kernel_size: int = 7) -> None:
        super().__init__()
        if kernel_size % 2 == 0:
            raise ValueError(f"expected an odd kernel_size, got {kernel_size}")
        self.conv = Conv2d(2, 1, kernel_size, padding=kernel_size // 2, bias=False)
        self.bn = BatchNorm2d(1)

    @classmethod
    def for_channels(cls, channels: int) -> Self:
        return cls()

    def statistics(self, x: Tensor) -> Tensor:
        return torch.cat([channel_max(x), channel_mean(x)], dim=1)

    def logits(self, x: Tensor) -> Tensor:
        a: Tensor = self.bn(self.conv(self.statistics(x)))
        return a

    def forward(self, x: Tensor) -> Tensor:
        return sigmoid_gate(x, self.logits(x))

    @torch.no_grad()
    def gate(self, x: Tensor) -> Tensor:
        """What `forward` multiplies x by. On a copy, so that looking does not count as a batch."""
        return torch.sigmoid(copy.deepcopy(self).logits(x))


class CBAMSpatialMeanFirst(CBAMSpatial):
    """`CBAMSpatial` with the mean first; the weights of one do not fit the other."""

    attention_name = "cbam-spatial-mean-first"

    def statistics(self, x: Tensor) -> Tensor:
        return torch.cat([channel_mean(x), channel_max(x)], dim=1)


class CBAM(nn.Module):
    """Channels first, then positions.  x, y (N, C, H, W)"""

    attention_name = "cbam"

    def __init__(self, channels: int, reduction: int = 16) -> None:
        super().__init__()
        self.ch_gate = CBAMChannel(channels, reduction)
        self.sp_gate = CBAMSpatial()

    @classmethod
    def for_channels(cls, channels: int) -> Self:
        return cls(channels, min(16, channels))

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.sp_gate(self.ch_gate(x))
        return y

    @torch.no_grad()
    def gate(self, x: Tensor) -> Tensor:
        """What `forward` multiplies x by in all: channel gate times position gate."""
        channel = self.ch_gate.gate(x)
        return channel * self.sp_gate.gate(x * channel)
