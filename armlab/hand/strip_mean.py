"""Strip means: each row, or each column, in one number per channel; coordinate attention's view."""

from __future__ import annotations

from armlab.arrays import Array, array_namespace
from armlab.hand import kernels
from armlab.hand.backward import Backward
from armlab.hand.expect import expect_features, is_whole


def strip_mean(x: Array, *, axis: int) -> tuple[Array, Backward]:
    """Mean along one of the two axes of the image.

    x  (N, C, H, W)
    y  (N, C, H, 1)   axis=3: y[n,c,i] = Σ_j x[n,c,i,j] / W, each row's mean       (1)
       (N, C, 1, W)   axis=2: y[n,c,j] = Σ_i x[n,c,i,j] / H, each column's mean

    Raises ValueError for another axis: means over N or C would mix what is kept apart here.
    """
    expect_features("strip_mean", x)
    if not is_whole(axis, 2) or axis > 3:
        raise ValueError(
            f"strip_mean expected axis 2 (columns) or 3 (rows), got {axis!r}: choose one of them"
        )
    xp, shape = array_namespace(x), x.shape
    if kernel := kernels.choose("strip_mean", x, axis):
        return kernel(x, axis)
    y = xp.mean(x, axis=axis, keepdims=True)  # (1)

    def backward(dy: Array) -> Array:
        # (1) all of a strip had the same share.
        return xp.broadcast_to(dy / shape[axis], shape)  # (2)

    return y, backward
