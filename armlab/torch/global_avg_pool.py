"""Global average pooling: the whole image in one number per channel, ARM's view of its context."""

from torch import Tensor


def global_avg_pool(x: Tensor) -> Tensor:
    """(N, C, H, W) -> (N, C, 1, 1).

    A mean, since avg_pool2d with a kernel known only at run time fails in ONNX export.
    """
    return x.mean((2, 3), keepdim=True)
