"""Resizing to a given size: each axis is one small matrix, so the backward is its transpose."""

from __future__ import annotations

from typing import Any

from array_api_compat import device as device_of

from armlab.arrays import Array, array_namespace
from armlab.hand import kernels
from armlab.hand.backward import Backward
from armlab.hand.expect import expect_features, expect_flags
from armlab.hand.window import Pair, pair


def resize_bilinear(
    x: Array, *, size: int | Pair, align_corners: bool = False
) -> tuple[Array, Backward]:
    """Resize with straight lines between pixel centres.

    x  (N, C, H, W)
    y  (N, C, OH, OW)     (OH, OW) = size

        p_i     = (i + 1/2) H / OH - 1/2, kept within 0 ... H - 1            (1)  where y row i lies
                  i (H - 1) / (OH - 1), with align_corners; 0 where OH = 1   (2)
        A[i, h] = max(0, 1 - |p_i - h|)                                      (3)  a tent around it
        y       = A x Bᵀ,   B the same for columns                           (4)

    (1) lays the edges of the two images on each other, (2) the centres of their first and last
    pixels. Weights trained with one mean something else with the other: at 1/8 of an image (1) and
    (2) are up to 7/16 of a pixel apart, 3.5 pixels of the image. A NaN or an infinity in x reaches
    its whole row and column, since 0 times it is NaN.
    """
    expect_features("resize_bilinear", x)
    expect_flags("resize_bilinear", align_corners=align_corners)
    oh, ow = pair(size, "size", 1)
    if kernel := kernels.choose("resize_bilinear", x, (oh, ow), align_corners):
        return kernel(x, (oh, ow), align_corners)
    a = _tents(x, oh, x.shape[2], align_corners)  # (1) or (2), and (3)
    b = _tents(x, ow, x.shape[3], align_corners)
    y = _around(a, x, b)  # (4)

    def backward(dy: Array) -> Array:
        return _around(_transpose(a), dy, _transpose(b))  # (5) dx = Aᵀ dy B: (4) is linear in x

    return y, backward


def resize_nearest(x: Array, *, size: int | Pair) -> tuple[Array, Backward]:
    """Resize by repeating or leaving out pixels.

    x  (N, C, H, W)
    y  (N, C, OH, OW)     y[n,c,i,j] = x[n, c, floor(i H / OH), floor(j W / OW)]       (1)

    The floor is taken of exact integers. torch's mode="nearest" multiplies by a rounded scale
    and is one pixel off at a few sizes, such as 2 to 82.
    """
    expect_features("resize_nearest", x)
    xp, (_, _, h, w) = array_namespace(x), x.shape
    oh, ow = pair(size, "size", 1)
    if kernel := kernels.choose("resize_nearest", x, (oh, ow)):
        return kernel(x, (oh, ow))
    rows, columns = _sources(x, oh, h), _sources(x, ow, w)
    y = xp.take(xp.take(x, columns, axis=3), rows, axis=2)  # (1)

    def backward(dy: Array) -> Array:
        # (1) is y = A x Bᵀ, with a 1 in each row of A and B, where its pixel came from.
        a, b = _ones_at(dy, rows, h), _ones_at(dy, columns, w)
        return _around(_transpose(a), dy, _transpose(b))  # (2) dx = Aᵀ dy B

    return y, backward


def _around(a: Array, x: Array, b: Array) -> Array:
    """A x Bᵀ for every image and channel."""
    array_namespace(a, x, b)
    if kernel := kernels.choose("resize", a, x, b):
        return kernel(a, x, b)
    return a @ x @ _transpose(b)


def _transpose(matrix: Array) -> Array:
    return array_namespace(matrix).matrix_transpose(matrix)


def _tents(x: Array, out: int, size: int, align_corners: bool) -> Array:
    """Equations (1) to (3), in float64 as positions need it, then in the dtype of x."""
    xp = array_namespace(x)
    p = xp.minimum(xp.maximum(_positions(x, out, size, align_corners), 0.0), size - 1.0)
    distance = xp.abs(xp.expand_dims(p, axis=1) - _range(x, size, xp.float64))
    return xp.astype(xp.maximum(1.0 - distance, 0.0), x.dtype)


def _positions(x: Array, out: int, size: int, align_corners: bool) -> Array:
    """Where each row of y lies, not yet kept within x."""
    i = _range(x, out, array_namespace(x).float64)
    if align_corners:
        return i * ((size - 1) / max(out - 1, 1))  # (2)
    return (i + 0.5) * (size / out) - 0.5  # (1)


def _sources(x: Array, out: int, size: int) -> Array:
    """floor(i H / OH) for each row i of y."""
    return _range(x, out, array_namespace(x).int64) * size // out


def _ones_at(x: Array, sources: Array, size: int) -> Array:
    """One 1 in each row, where its source is."""
    xp = array_namespace(x)
    return xp.astype(xp.expand_dims(sources, axis=1) == _range(x, size, xp.int64), x.dtype)


def _range(x: Array, count: int, dtype: Any) -> Array:
    return array_namespace(x).arange(count, dtype=dtype, device=device_of(x))
