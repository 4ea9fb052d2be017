"""Global average pooling: the whole image in one number per channel, ARM's view of its context."""

from __future__ import annotations

from armlab.arrays import Array, array_namespace
from armlab.hand import kernels
from armlab.hand.backward import Backward
from armlab.hand.channels import position_sum
from armlab.hand.expect import expect_features


def global_avg_pool(x: Array) -> tuple[Array, Backward]:
    """Mean over all positions.

    x  (N, C, H, W)
    z  (N, C, 1, 1)

        z[n,c] = Σ_{i,j} x[n,c,i,j] / (H W)                             (1)
    """
    expect_features("global_avg_pool", x)
    xp = array_namespace(x)
    _, _, h, w = shape = x.shape
    if kernel := kernels.choose("global_avg_pool", x):
        return kernel(x)
    z = position_sum(x) / (h * w)  # (1)

    def backward(dz: Array) -> Array:
        # (1) every pixel had the same share, 1 / HW.
        return xp.broadcast_to(dz / (h * w), shape)  # (2)

    return z, backward
