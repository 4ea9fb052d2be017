"""SimAM: one gate per element, from how far it stands out of its channel; no weights at all."""

from typing import Self

import torch
from torch import Tensor, nn

from armlab.torch.sigmoid_gate import sigmoid_gate


def simam_logits(x: Tensor, *, lambda_: float = 1e-4) -> Tensor:
    """a = (x - μ)² / (4 (v + λ)) + 1/2, v over H W - 1, for each channel of x (N, C, H, W)."""
    squares = (x - x.mean((2, 3), keepdim=True)).square()
    v = squares.sum((2, 3), keepdim=True) / (x.shape[2] * x.shape[3] - 1)
    return squares / (4 * (v + lambda_)) + 0.5


class SimAM(nn.Module):
    """y = x σ(simam_logits(x)), x and y (N, C, H, W)."""

    attention_name = "simam"

    def __init__(self, lambda_: float = 1e-4) -> None:
        super().__init__()
        self.lambda_ = lambda_

    @classmethod
    def for_channels(cls, channels: int) -> Self:
        return cls()

    def forward(self, x: Tensor) -> Tensor:
        return sigmoid_gate(x, simam_logits(x, lambda_=self.lambda_))

    @torch.no_grad()
    def gate(self, x: Tensor) -> Tensor:
        """What `forward` multiplies x by: (N, C, H, W)."""
        return torch.sigmoid(simam_logits(x, lambda_=self.lambda_))

    def extra_repr(self) -> str:
        return f"lambda_={self.lambda_}"
