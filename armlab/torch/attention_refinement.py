"""The attention refinement module (ARM): each channel scaled by what the whole image says of it."""

import copy
from typing import Self

import torch
from torch import Tensor, nn

from armlab.torch.batch_norm import BatchNorm2d
from armlab.torch.conv2d import Conv2d
from armlab.torch.conv_bn_act import ConvBNAct
from armlab.torch.global_avg_pool import global_avg_pool
from armlab.torch.sigmoid_gate import sigmoid_gate


class PaperAttentionRefinement(nn.Module):
    """ARM as in the BiSeNet paper (arXiv 1808.00897): x, y (N, C, H, W), no 3×3."""

    attention_name = "paper-arm"

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv_atten = Conv2d(channels, channels, 1, bias=False)
        self.bn_atten = BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        return sigmoid_gate(x, self.bn_atten(self.conv_atten(global_avg_pool(x))))

    @torch.no_grad()
    def gate(self, x: Tensor) -> Tensor:
        """What `forward` multiplies x by. On a copy, so that looking does not count as a batch."""
        look = copy.deepcopy(self)
        return torch.sigmoid(look.bn_atten(look.conv_atten(global_avg_pool(x))))


class AttentionRefinementModule(nn.Module):
    """ARM as in the article ("leaky_relu") and the public code ("relu"): a 3×3, then the gate.

    x (N, C, H, W)  ->  y (N, K, H, W)
    """

    attention_name = "arm"

    def __init__(self, in_channels: int, out_channels: int, activation: str = "leaky_relu") -> None:
        super().__init__()
        self.conv = ConvBNAct(in_channels, out_channels, activation=activation)
        self.conv_atten = Conv2d(out_channels, out_channels, 1, bias=False)
        self.bn_atten = BatchNorm2d(out_channels)

    @classmethod
    def with_3x3(cls, in_channels: int, out_channels: int, activation: str) -> Self:
        return cls(in_channels, out_channels, activation)

    def forward(self, x: Tensor) -> Tensor:
        f = self.conv(x)
        return sigmoid_gate(f, self.bn_atten(self.conv_atten(global_avg_pool(f))))

    @torch.no_grad()
    def gate(self, x: Tensor) -> Tensor:
        """What `forward` multiplies f by. On a copy, so that looking does not count as a batch."""
        look = copy.deepcopy(self)
        return torch.sigmoid(look.bn_atten(look.conv_atten(global_avg_pool(look.conv(x)))))
