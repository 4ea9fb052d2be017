"""The energy of each channel: the mean of its squares over the image."""

from __future__ import annotations

from armlab.arrays import Array, array_namespace
from armlab.hand.backward import Backward
from armlab.hand.expect import expect_features


def mean_square(x: Array) -> tuple[Array, Backward]:
    """How strong each channel is, whatever its sign.

    x  (N, C, H, W)
    z  (N, C, 1, 1);   m = H W positions

        z = Σ x² / m                                                    (1)
    """
    expect_features("mean_square", x)
    xp = array_namespace(x)
    m = x.shape[2] * x.shape[3]
    z = xp.sum(x * x, axis=(2, 3), keepdims=True) / m  # (1)

    def backward(dz: Array) -> Array:
        return x * (dz * 2.0 / m)  # (1) dz/dx = 2 x / m

    return z, backward
