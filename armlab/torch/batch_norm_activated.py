"""Batch normalisation with its activation."""

from torch import Tensor

from armlab.torch.batch_norm import batch_norm, batch_norm_eval
from armlab.torch.leaky_relu import leaky_relu
from armlab.torch.relu import relu

ACTIVATIONS = {"relu": relu, "leaky_relu": leaky_relu}


def batch_norm_activated(
    x: Tensor, w: Tensor, b: Tensor, *, activation: str = "relu", eps: float = 1e-5
) -> tuple[Tensor, Tensor, Tensor]:
    """Training mode: x (N, C, H, W)  ->  y, and the mean and biased variance (C,) of the batch."""
    v, mean, var = batch_norm(x, w, b, eps=eps)
    return ACTIVATIONS[activation](v), mean, var


def batch_norm_eval_activated(
    x: Tensor,
    w: Tensor,
    b: Tensor,
    *,
    mean: Tensor,
    var: Tensor,
    activation: str = "relu",
    eps: float = 1e-5,
) -> Tensor:
    """Evaluation mode: the statistics (C,) are constants."""
    return ACTIVATIONS[activation](batch_norm_eval(x, w, b, mean=mean, var=var, eps=eps))
