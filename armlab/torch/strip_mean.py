"""Strip means: each row, or each column, in one number per channel; coordinate attention's view."""

from torch import Tensor


def strip_mean(x: Tensor, *, axis: int) -> Tensor:
    """(N, C, H, W) -> (N, C, H, 1) for axis=3, (N, C, 1, W) for axis=2."""
    return x.mean(axis, keepdim=True)
