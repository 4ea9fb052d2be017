"""Batch normalisation with its activation."""

from torch import Tensor

from armlab.torch.batch_norm import batch_norm
from armlab.torch.leaky_relu import leaky_relu
from armlab.torch.relu import relu


def batch_norm_activated(
    x: Tensor, w: Tensor, b: Tensor, *, activation: str = "relu", eps: float = 1e-5
) -> tuple[Tensor, Tensor, Tensor]:
    """Training mode: x (N, C, H, W)  ->  y, and the mean and biased variance (C,) of the batch."""
    v, mean, var = batch_norm(x, w, b, eps=eps)
    return {"relu": relu, "leaky_relu": leaky_relu}[activation](v), mean, var
