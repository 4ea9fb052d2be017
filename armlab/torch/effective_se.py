"""Effective squeeze and excitation (eSE): one layer, as in ARM, with a bias instead of BN."""

import torch
from torch import Tensor, nn

from armlab.torch.conv2d import Conv2d
from armlab.torch.global_avg_pool import global_avg_pool
from armlab.torch.sigmoid_gate import sigmoid_gate


class EffectiveSE(nn.Module):
    """y = x σ(W GAP(x) + b), x and y (N, C, H, W). timm's default gate is the hard sigmoid."""

    attention_name = "ese"

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fc = Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return sigmoid_gate(x, self.fc(global_avg_pool(x)))

    @torch.no_grad()
    def gate(self, x: Tensor) -> Tensor:
        """What `forward` multiplies x by: (N, C, 1, 1)."""
        return torch.sigmoid(self.fc(global_avg_pool(x)))
