"""Efficient channel attention (ECA): logits from a channel's neighbours, a handful of weights."""

import math

import torch
from torch import Tensor, nn

from armlab.torch.channel_conv1d import channel_conv1d
from armlab.torch.global_avg_pool import global_avg_pool
from armlab.torch.sigmoid_gate import sigmoid_gate


def eca_kernel_size(channels: int) -> int:
    """t = int(|log₂ C + 1| / 2), made odd, and at least 3."""
    t = int(abs(math.log2(channels) + 1) / 2)
    return max(t if t % 2 else t + 1, 3)


class ChannelConv1d(nn.Module):
    """`channel_conv1d` with a kernel of its own, drawn normal with variance 1 / R."""

    def __init__(self, kernel_size: int) -> None:
        super().__init__()
        if kernel_size < 1 or kernel_size % 2 == 0:
            raise ValueError(f"expected an odd kernel_size, got {kernel_size}")
        self.kernel_size = kernel_size
        self.weight = nn.Parameter(torch.empty(1, 1, kernel_size))
        nn.init.kaiming_normal_(self.weight, a=1)

    def forward(self, z: Tensor) -> Tensor:
        return channel_conv1d(z, self.weight)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}"


class ECA(nn.Module):
    """y = x σ(conv1d(GAP(x))), x and y (N, C, H, W)."""

    attention_name = "eca"

    def __init__(self, channels: int, kernel_size: int | None = None) -> None:
        super().__init__()
        size = eca_kernel_size(channels) if kernel_size is None else kernel_size
        self.conv = ChannelConv1d(size)

    def forward(self, x: Tensor) -> Tensor:
        return sigmoid_gate(x, self.conv(global_avg_pool(x)))

    @torch.no_grad()
    def gate(self, x: Tensor) -> Tensor:
        """What `forward` multiplies x by: (N, C, 1, 1)."""
        return torch.sigmoid(self.conv(global_avg_pool(x)))
