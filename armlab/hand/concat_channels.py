"""Concatenation of channels: two feature maps side by side, before they are fused."""

from __future__ import annotations

from armlab.arrays import Array, array_namespace
from armlab.hand import kernels
from armlab.hand.backward import Backward
from armlab.hand.expect import expect_features


def concat_channels(x1: Array, x2: Array) -> tuple[Array, Backward]:
    """One map behind the other, along the channels.

    x1  (N, C1, H, W)
    x2  (N, C2, H, W)
    y   (N, C1 + C2, H, W)      y = [x1 ; x2]                           (1)

    Raises ValueError where batch, height and width are not the same.
    """
    expect_features("concat_channels", x1)
    expect_features("concat_channels", x2)
    xp = array_namespace(x1, x2)
    (n, c, *size), other = x1.shape, x2.shape
    if (n, *size) != (other[0], *other[2:]):
        raise ValueError(
            f"concat_channels expected x2 as ({n}, C, {size[0]}, {size[1]}) like x1, "
            f"got {tuple(other)}: resize one to the other"
        )
    if kernel := kernels.choose("concat_channels", x1, x2):
        return kernel(x1, x2)
    y = xp.concat([x1, x2], axis=1)  # (1)

    def backward(dy: Array) -> tuple[Array, Array]:
        # (1) each takes its own part back, as an array of its own.
        dx1 = xp.asarray(dy[:, :c, :, :], copy=True)  # (2)
        dx2 = xp.asarray(dy[:, c:, :, :], copy=True)  # (3)
        return dx1, dx2

    return y, backward
