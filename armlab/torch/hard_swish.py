"""Hard swish: the activation of coordinate attention, a swish made of straight lines."""

from torch import Tensor
from torch.nn import functional as F


def hard_swish(x: Tensor) -> Tensor:
    """y = x min(max(x + 3, 0), 6) / 6, any shape."""
    return F.hardswish(x)
