"""Global max pooling: the strongest response of each channel, wherever it is."""

from torch import Tensor


def global_max_pool(x: Tensor) -> Tensor:
    """(N, C, H, W) -> (N, C, 1, 1); the first of equal positions gets the gradient."""
    return x.flatten(2).max(2)[0][:, :, None, None]
