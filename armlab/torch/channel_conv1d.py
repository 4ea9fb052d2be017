"""1-D convolution over the channels: each one mixed with its neighbours, by one small kernel."""

from torch import Tensor
from torch.nn import functional as F


def channel_conv1d(z: Tensor, w: Tensor) -> Tensor:
    """z (N, C, 1, 1), w (1, 1, R) with R odd  ->  (N, C, 1, 1)"""
    rows = z.flatten(1)[:, None]  # (N, 1, C)
    return F.conv1d(rows, w, padding=w.shape[2] // 2)[:, 0, :, None, None]
