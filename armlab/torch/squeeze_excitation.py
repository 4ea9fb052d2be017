"""Squeeze and excitation (SE): ARM's older relative, whose logits come from two small layers."""

from typing import Self

import torch
from torch import Tensor, nn

from armlab.torch.conv2d import Conv2d
from armlab.torch.global_avg_pool import global_avg_pool
from armlab.torch.relu import relu
from armlab.torch.sigmoid_gate import sigmoid_gate


class SqueezeExcitation(nn.Module):
    """y = x σ(W₂ ReLU(W₁ GAP(x) + b₁) + b₂), x and y (N, C, H, W)."""

    attention_name = "se"

    def __init__(self, channels: int, reduction: int = 16) -> None:
        super().__init__()
        if not 1 <= reduction <= channels:
            raise ValueError(f"expected a reduction of 1 to {channels}, got {reduction}")
        self.fc1 = Conv2d(channels, channels // reduction, 1)
        self.fc2 = Conv2d(channels // reduction, channels, 1)

    @classmethod
    def for_channels(cls, channels: int) -> Self:
        return cls(channels, min(16, channels))

    def mlp(self, z: Tensor) -> Tensor:
        a: Tensor = self.fc2(relu(self.fc1(z)))
        return a

    def logits(self, x: Tensor) -> Tensor:
        return self.mlp(global_avg_pool(x))

    def forward(self, x: Tensor) -> Tensor:
        return sigmoid_gate(x, self.logits(x))

    @torch.no_grad()
    def gate(self, x: Tensor) -> Tensor:
        """What `forward` multiplies x by: (N, C, 1, 1)."""
        return torch.sigmoid(self.logits(x))
