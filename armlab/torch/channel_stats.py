"""Channel mean and channel max: what spatial attention knows of each position."""

from torch import Tensor


def channel_mean(x: Tensor) -> Tensor:
    """(N, C, H, W) -> (N, 1, H, W)"""
    return x.mean(1, keepdim=True)


def channel_max(x: Tensor) -> Tensor:
    """(N, C, H, W) -> (N, 1, H, W); the first of equal channels gets the gradient."""
    return x.max(1, keepdim=True)[0]
