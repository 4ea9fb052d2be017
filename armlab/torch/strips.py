"""Strips end to end: one value per row and one per column in a single strip, and apart again."""

import torch
from torch import Tensor


def join_strips(rows: Tensor, columns: Tensor) -> Tensor:
    """(N, C, H, 1), (N, C, 1, W) -> (N, C, H + W, 1)"""
    return torch.cat([rows, columns.mT], dim=2)


def split_strips(x: Tensor, *, height: int) -> tuple[Tensor, Tensor]:
    """(N, C, H + W, 1) -> (N, C, H, 1), (N, C, 1, W), H = height"""
    return x[:, :, :height], x[:, :, height:].mT
