"""SAR: spatial attention, one gate per position, from channel mean, channel max and a 3×3."""

import copy
from typing import Self

import torch
from torch import Tensor, nn

from armlab.torch.batch_norm import BatchNorm2d
from armlab.torch.channel_stats import channel_max, channel_mean
from armlab.torch.conv2d import Conv2d
from armlab.torch.conv_bn_act import ConvBNAct
from armlab.torch.sigmoid_gate import sigmoid_gate


class ListedSAR(nn.Module):
    """As the article lists it: x (N, C, H, W), gated at each position."""

    attention_name = "listed-sar"

    def __init__(self, in_channels: int, mid_channels: int) -> None:
        super().__init__()
        self._add_gate(in_channels, mid_channels)

    @classmethod
    def for_channels(cls, channels: int) -> Self:
        return cls(channels, max(channels // 2, 1))

    def _add_gate(self, in_channels: int, mid_channels: int) -> None:
        self.conv_reduce = ConvBNAct(
            in_channels, mid_channels, 1, padding=0, activation="leaky_relu"
        )
        self.conv_atten = Conv2d(2, 1, 3, padding=1, bias=False)
        self.bn_atten = BatchNorm2d(1)

    def logits(self, x: Tensor) -> Tensor:
        r = self.conv_reduce(x)
        m = torch.cat([channel_mean(r), channel_max(r)], dim=1)
        a: Tensor = self.bn_atten(self.conv_atten(m))
        return a

    def forward(self, x: Tensor) -> Tensor:
        return sigmoid_gate(x, self.logits(x))

    @torch.no_grad()
    def gate(self, x: Tensor) -> Tensor:
        """What `forward` multiplies x by. On a copy, so that looking does not count as a batch."""
        return torch.sigmoid(copy.deepcopy(self).logits(x))


class SAR(ListedSAR):
    """As in its origin: a 3×3 ConvBNAct behind the gate.  (N, C, H, W) -> (N, K, H, W)"""

    attention_name = "sar"

    def __init__(self, in_channels: int, mid_channels: int, out_channels: int) -> None:
        nn.Module.__init__(self)  # conv1 comes first among the keys, as in the origin
        self.conv1 = ConvBNAct(in_channels, out_channels, activation="leaky_relu")
        self._add_gate(in_channels, mid_channels)

    @classmethod
    def with_3x3(cls, in_channels: int, out_channels: int, activation: str) -> Self:
        return cls(in_channels, max(in_channels // 2, 1), out_channels)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.conv1(super().forward(x))
        return y
