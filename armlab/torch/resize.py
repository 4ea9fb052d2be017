"""Resizing to a given size, bilinear or nearest."""

import torch
from torch import Tensor
from torch.nn import functional as F


def resize_bilinear(
    x: Tensor, *, size: int | tuple[int, int], align_corners: bool = False
) -> Tensor:
    """(N, C, H, W) -> (N, C, *size), edges on edges, or corner pixels on corner pixels."""
    return F.interpolate(x, size, mode="bilinear", align_corners=align_corners)


def resize_nearest(x: Tensor, *, size: int | tuple[int, int]) -> Tensor:
    """(N, C, H, W) -> (N, C, *size): pixel floor(i H / OH) of exact integers.

    F.interpolate(mode="nearest") multiplies by a rounded scale and is one pixel off at a few
    sizes, such as 2 to 82.
    """
    oh, ow = (size, size) if isinstance(size, int) else size
    rows = torch.arange(oh, device=x.device) * x.shape[2] // oh
    cols = torch.arange(ow, device=x.device) * x.shape[3] // ow
    return x[:, :, rows[:, None], cols]
