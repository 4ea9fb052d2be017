"""Resizing to a given size: each axis is one small matrix, so the backward is its transpose."""

from __future__ import annotations

from typing import Any

from array_api_compat import device as device_of

from armlab.arrays import Array, array_namespace
from armlab.hand.backward import Backward
from armlab.hand.expect import expect_features
from armlab.hand.window import Pair, pair


def resize_bilinear(x: Array, *, size: int | Pair) -> tuple[Array, Backward]:
    """Resize with straight lines between pixel centres.

    x  (N, C, H, W)
    y  (N, C, OH, OW)     (OH, OW) = size

        p_i     = (i + 1/2) H / OH - 1/2, kept within 0 ... H - 1            (1)  where y row i lies
        A[i, h] = max(0, 1 - |p_i - h|)                                      (2)  a tent around it
        y       = A x Bᵀ,   B the same for columns                           (3)

    Pixel centres are half a pixel in: torch's align_corners=False. A NaN or an infinity in x
    reaches its whole row and column, since 0 times it is NaN.
    """
    expect_features("resize_bilinear", x)
    oh, ow = pair(size, "size", 1)
    a, b = _tents(x, oh, x.shape[2]), _tents(x, ow, x.shape[3])
    return _two_matrices(x, a, b)


def resize_nearest(x: Array, *, size: int | Pair) -> tuple[Array, Backward]:
    """Resize by repeating or leaving out pixels.

    x  (N, C, H, W)
    y  (N, C, OH, OW)     y[n,c,i,j] = x[n, c, floor(i H / OH), floor(j W / OW)]

    The floor is taken of exact integers. torch's mode="nearest" multiplies by a rounded scale
    and is one pixel off at a few sizes, such as 2 to 82.
    """
    expect_features("resize_nearest", x)
    oh, ow = pair(size, "size", 1)
    a, b = _picks(x, oh, x.shape[2]), _picks(x, ow, x.shape[3])
    return _two_matrices(x, a, b)


def _two_matrices(x: Array, a: Array, b: Array) -> tuple[Array, Backward]:
    """y = A x Bᵀ for every image and channel.  A (OH, H), B (OW, W)"""
    xp = array_namespace(x, a, b)
    y = a @ x @ xp.matrix_transpose(b)  # (3)

    def backward(dy: Array) -> Array:
        return xp.matrix_transpose(a) @ dy @ b  # (3) linear in x, so transposed

    return y, backward


def _tents(x: Array, out: int, size: int) -> Array:
    """Equations (1) and (2), in float64 as positions need it, then in the dtype of x."""
    xp = array_namespace(x)
    i, h = _column_and_row(x, out, size, xp.float64)
    p = xp.minimum(xp.maximum((i + 0.5) * (size / out) - 0.5, 0.0), size - 1.0)
    return xp.astype(xp.maximum(1.0 - xp.abs(p - h), 0.0), x.dtype)


def _picks(x: Array, out: int, size: int) -> Array:
    """One 1 in each row i, at floor(i H / OH)."""
    xp = array_namespace(x)
    i, h = _column_and_row(x, out, size, xp.int64)
    return xp.astype((i * size) // out == h, x.dtype)


def _column_and_row(x: Array, out: int, size: int, dtype: Any) -> tuple[Array, Array]:
    xp, where = array_namespace(x), device_of(x)
    i = xp.arange(out, dtype=dtype, device=where)
    h = xp.arange(size, dtype=dtype, device=where)
    return xp.reshape(i, (out, 1)), xp.reshape(h, (1, size))
