"""Attentionout: the article's element-wise gate, as it is published and as it is described."""

import copy

import torch
from torch import Tensor, nn

from armlab.torch.batch_norm import BatchNorm2d
from armlab.torch.conv2d import Conv2d
from armlab.torch.sigmoid_gate import sigmoid_gate


class Attentionout(nn.Module):
    """As published, without the residual: y = x σ(BN(W ∗ x)), x and y (N, C, H, W)."""

    attention_name = "attentionout"

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv_atten = Conv2d(channels, channels, 1, bias=False)
        self.bn_atten = BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        return sigmoid_gate(x, self.bn_atten(self.conv_atten(x)))

    @torch.no_grad()
    def gate(self, x: Tensor) -> Tensor:
        """What `forward` multiplies x by. On a copy, so that looking does not count as a batch."""
        look = copy.deepcopy(self)
        return torch.sigmoid(look.bn_atten(look.conv_atten(x)))


class ResidualAttentionout(Attentionout):
    """As described: y = x + x σ(BN(W ∗ x))."""

    attention_name = "residual-attentionout"

    def forward(self, x: Tensor) -> Tensor:
        return x + super().forward(x)
