"""1-D convolution over the channels: each one mixed with its neighbours, by one small kernel."""

from __future__ import annotations

from armlab.arrays import Array, array_namespace
from armlab.hand import kernels
from armlab.hand.backward import Backward
from armlab.hand.conv2d import conv2d
from armlab.hand.expect import expect_features


def channel_conv1d(z: Array, w: Array) -> tuple[Array, Backward]:
    """Slide an odd kernel along the channels, with zeros beyond the first and the last.

    z, a  (N, C, 1, 1)
    w     (1, 1, R)         R odd

        a[n,c] = Σ_r w[r] z[n, c + r - (R - 1)/2]                       (1)

    Raises ValueError for another shape of z, and for a kernel that is even or of another shape.
    """
    expect_features("channel_conv1d", z)
    xp = array_namespace(z, w)
    n, c, *rest = z.shape
    if tuple(rest) != (1, 1):
        raise ValueError(
            f"channel_conv1d expected z as (N, C, 1, 1), got {tuple(z.shape)}: pool it first"
        )
    if len(w.shape) != 3 or tuple(w.shape[:2]) != (1, 1) or w.shape[2] % 2 == 0:
        raise ValueError(
            f"channel_conv1d expected w as (1, 1, R) with R odd, got {tuple(w.shape)}: reshape it"
        )
    if kernel := kernels.choose("channel_conv1d", z, w):
        return kernel(z, w)
    size = w.shape[2]
    column, kernel = xp.reshape(z, (n, 1, c, 1)), xp.reshape(w, (1, 1, size, 1))
    y, conv_back = conv2d(column, kernel, padding=(size // 2, 0))  # (1): channels stand as rows
    a = xp.reshape(y, (n, c, 1, 1))

    def backward(da: Array) -> tuple[Array, Array]:
        dcolumn, dkernel, _ = conv_back(xp.reshape(da, (n, 1, c, 1)))
        return xp.reshape(dcolumn, (n, c, 1, 1)), xp.reshape(dkernel, (1, 1, size))

    return a, backward
