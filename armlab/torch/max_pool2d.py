"""Max pooling over windows that may overlap: the second step of ResNet's stem."""

from torch import Tensor
from torch.nn import functional as F


def max_pool2d(
    x: Tensor,
    *,
    kernel_size: int | tuple[int, int],
    stride: int | tuple[int, int] | None = None,
    padding: int | tuple[int, int] = 0,
) -> Tensor:
    """(N, C, H, W) -> (N, C, OH, OW); padding never wins."""
    return F.max_pool2d(x, kernel_size, stride, padding)
