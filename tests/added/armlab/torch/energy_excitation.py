"""Energy excitation: effective squeeze and excitation that pools the square of its features."""

import torch
from torch import Tensor, nn

from armlab.torch.conv2d import Conv2d
from armlab.torch.mean_square import mean_square
from armlab.torch.sigmoid_gate import sigmoid_gate


class EnergyExcitation(nn.Module):
    """y = x σ(W mean_square(x) + b), x and y (N, C, H, W)."""

    attention_name = "energy"

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fc = Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return sigmoid_gate(x, self.fc(mean_square(x)))

    @torch.no_grad()
    def gate(self, x: Tensor) -> Tensor:
        """What `forward` multiplies x by: (N, C, 1, 1)."""
        return torch.sigmoid(self.fc(mean_square(x)))
