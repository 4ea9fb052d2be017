"""Concatenation of channels: two feature maps side by side, before they are fused."""

import torch
from torch import Tensor


def concat_channels(x1: Tensor, x2: Tensor) -> Tensor:
    """(N, C1, H, W), (N, C2, H, W) -> (N, C1 + C2, H, W)"""
    return torch.cat([x1, x2], dim=1)
