"""LeakyReLU: the activation of the article's ARM."""

from torch import Tensor
from torch.nn import functional as F


def leaky_relu(x: Tensor, *, slope: float = 0.01) -> Tensor:
    """y = max(x, slope x), any shape."""
    return F.leaky_relu(x, slope)
