"""Sigmoid gating: the last step of ARM, of SE and of spatial attention."""

import torch
from torch import Tensor


def sigmoid_gate(x: Tensor, a: Tensor) -> Tensor:
    """y = x σ(a): x (N, C, H, W), a one logit per channel, position or element."""
    return x * torch.sigmoid(a)
