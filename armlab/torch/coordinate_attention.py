"""Coordinate attention: each element gated twice, by its row and by its column."""

import copy

import torch
from torch import Tensor, nn

from armlab.torch.batch_norm import BatchNorm2d
from armlab.torch.conv2d import Conv2d
from armlab.torch.hard_swish import hard_swish
from armlab.torch.sigmoid_gate import sigmoid_gate
from armlab.torch.strip_mean import strip_mean
from armlab.torch.strips import join_strips, split_strips


class CoordinateAttention(nn.Module):
    """y = x σ(a_w) σ(a_h), x and y (N, C, H, W), a_h (N, C, H, 1), a_w (N, C, 1, W)."""

    attention_name = "coordinate"

    def __init__(self, channels: int, reduction: int = 32) -> None:
        super().__init__()
        mid = max(8, channels // reduction)
        self.conv1 = Conv2d(channels, mid, 1)
        self.bn1 = BatchNorm2d(mid)
        self.conv_h = Conv2d(mid, channels, 1)
        self.conv_w = Conv2d(mid, channels, 1)

    def logits(self, x: Tensor) -> tuple[Tensor, Tensor]:
        z = join_strips(strip_mean(x, axis=3), strip_mean(x, axis=2))
        f = hard_swish(self.bn1(self.conv1(z)))
        f_h, f_w = split_strips(f, height=x.shape[2])
        return self.conv_h(f_h), self.conv_w(f_w)

    def forward(self, x: Tensor) -> Tensor:
        a_h, a_w = self.logits(x)
        return sigmoid_gate(sigmoid_gate(x, a_w), a_h)

    @torch.no_grad()
    def gate(self, x: Tensor) -> Tensor:
        """What `forward` multiplies x by. On a copy, so that looking does not count as a batch."""
        a_h, a_w = copy.deepcopy(self).logits(x)
        return torch.sigmoid(a_h) * torch.sigmoid(a_w)
