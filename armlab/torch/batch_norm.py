"""Batch normalisation: each channel centred and scaled, then given a scale and shift to learn."""

import torch
from torch import Tensor
from torch.nn import BatchNorm2d
from torch.nn import functional as F

__all__ = ["BatchNorm2d", "batch_norm", "batch_norm_eval"]


def batch_norm(
    x: Tensor, w: Tensor, b: Tensor, *, eps: float = 1e-5
) -> tuple[Tensor, Tensor, Tensor]:
    """Training mode: x (N, C, H, W)  ->  y, and the mean and biased variance (C,) of the batch."""
    y = F.batch_norm(x, None, None, w, b, training=True, eps=eps)
    with torch.no_grad():
        m = max(x.numel() // x.shape[1], 1)  # an empty batch has statistics 0
        mean = x.sum((0, 2, 3), keepdim=True) / m
        var = (x - mean).square().sum((0, 2, 3)) / m  # two passes: torch.var_mean cancels sooner
    return y, mean.flatten(), var


def batch_norm_eval(
    x: Tensor, w: Tensor, b: Tensor, *, mean: Tensor, var: Tensor, eps: float = 1e-5
) -> Tensor:
    """Evaluation mode: the statistics (C,) are constants."""
    return F.batch_norm(x, mean, var, w, b, training=False, eps=eps)
