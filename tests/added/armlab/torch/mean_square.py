"""The energy of each channel: the mean of its squares over the image."""

from torch import Tensor


def mean_square(x: Tensor) -> Tensor:
    """(N, C, H, W) -> (N, C, 1, 1)"""
    return (x * x).mean((2, 3), keepdim=True)
