"""UAFM, the fusion of PP-LiteSeg: one gate says how much of each of two maps goes on."""

import copy

import torch
from torch import Tensor, nn

from armlab.torch.channel_stats import channel_max, channel_mean
from armlab.torch.conv_bn_act import ConvBN, ConvBNAct
from armlab.torch.global_avg_pool import global_avg_pool
from armlab.torch.global_max_pool import global_max_pool
from armlab.torch.resize import resize_bilinear


class UAFMSpatial(nn.Module):
    """y = up s + low (1 - s), up the resized high (N, C, ·, ·), low and y (N, C, H, W)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv_atten = nn.Sequential(ConvBNAct(4, 2), ConvBN(2, 1))

    def statistics(self, x: Tensor) -> list[Tensor]:
        return [channel_mean(x), channel_max(x)]

    def logits(self, up: Tensor, low: Tensor) -> Tensor:
        m = torch.cat([*self.statistics(up), *self.statistics(low)], dim=1)
        a: Tensor = self.conv_atten(m)
        return a

    def forward(self, high: Tensor, low: Tensor) -> Tensor:
        up = resize_bilinear(high, size=(low.shape[2], low.shape[3]))
        s = torch.sigmoid(self.logits(up, low))
        return up * s + low * (1 - s)

    @torch.no_grad()
    def gate(self, high: Tensor, low: Tensor) -> Tensor:
        """The share of the high map. On a copy, so that looking does not count as a batch."""
        up = resize_bilinear(high, size=(low.shape[2], low.shape[3]))
        return torch.sigmoid(copy.deepcopy(self).logits(up, low))


class UAFMChannel(UAFMSpatial):
    """The same with s for each channel, from the means and maxima over all positions."""

    def __init__(self, channels: int, reduction: int = 2) -> None:
        nn.Module.__init__(self)
        if not 1 <= reduction <= channels:
            raise ValueError(f"expected a reduction of 1 to {channels}, got {reduction}")
        hidden = channels // reduction
        self.conv_atten = nn.Sequential(
            ConvBNAct(4 * channels, hidden, 1, padding=0, activation="leaky_relu"),
            ConvBN(hidden, channels, 1, padding=0),
        )

    def statistics(self, x: Tensor) -> list[Tensor]:
        return [global_avg_pool(x), global_max_pool(x)]
