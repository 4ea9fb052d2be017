"""Resizing to a given size: each axis is one small matrix, so the backward is its transpose."""

from __future__ import annotations

from collections.abc import Iterator
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
    y = _left(a, _right(x, b))  # (3)

    def backward(dy: Array) -> Array:
        return _transposed(dy, a, b)  # (3) is linear in x

    return y, backward


def resize_nearest(x: Array, *, size: int | Pair) -> tuple[Array, Backward]:
    """Resize by repeating or leaving out pixels.

    x  (N, C, H, W)
    y  (N, C, OH, OW)     y[n,c,i,j] = x[n, c, floor(i H / OH), floor(j W / OW)]

    The floor is taken of exact integers. torch's mode="nearest" multiplies by a rounded scale
    and is one pixel off at a few sizes, such as 2 to 82.
    """
    expect_features("resize_nearest", x)
    xp, (_, _, h, w) = array_namespace(x), x.shape
    oh, ow = pair(size, "size", 1)
    rows, columns = _sources(x, oh, h), _sources(x, ow, w)
    y = xp.take(xp.take(x, columns, axis=3), rows, axis=2)

    def backward(dy: Array) -> Array:
        # y = A x Bᵀ, with a 1 in each row of A and B, where its pixel came from.
        return _transposed(dy, _ones_at(dy, rows, h), _ones_at(dy, columns, w))

    return y, backward


def _left(a: Array, x: Array) -> Array:
    """A x for every image and channel, without most of the zeros of A."""
    xp, (n, c, _, w) = array_namespace(a, x), x.shape
    y = xp.empty((n, c, a.shape[0], w), dtype=x.dtype, device=device_of(x))
    for rows, columns in _bands(*a.shape):
        y[:, :, rows, :] = a[rows, columns] @ x[:, :, columns, :]
    return y


def _right(x: Array, b: Array) -> Array:
    """x Bᵀ for every image and channel, all their rows in one product."""
    xp, (n, c, h, w) = array_namespace(x, b), x.shape
    flat = xp.reshape(x, (n * c * h, w))
    y = xp.empty((n * c * h, b.shape[0]), dtype=x.dtype, device=device_of(x))
    for rows, columns in _bands(*b.shape):
        y[:, rows] = flat[:, columns] @ xp.matrix_transpose(b[rows, columns])
    return xp.reshape(y, (n, c, h, b.shape[0]))


def _transposed(dy: Array, a: Array, b: Array) -> Array:
    """Aᵀ dy B, the backward of y = A x Bᵀ."""
    transpose = array_namespace(dy, a, b).matrix_transpose
    return _right(_left(transpose(a), dy), transpose(b))


def _bands(rows: int, columns: int) -> Iterator[tuple[slice, slice]]:
    """Rows of a matrix, 32 at a time, and the columns that are not 0 there.

    Its entries lie along the diagonal: pixels of either side of a resizing meet where they lie
    within a pixel of one another, a pixel of the coarser side.
    """
    scale = columns / rows
    reach = max(scale, 1.0) + 1.0  # one more than needed: to be exact is not worth it
    for first in range(0, rows, 32):
        last = min(first + 32, rows)
        start, stop = (first + 0.5) * scale - reach, (last - 0.5) * scale + reach
        yield slice(first, last), slice(max(0, int(start)), min(columns, int(stop) + 1))


def _tents(x: Array, out: int, size: int) -> Array:
    """Equations (1) and (2), in float64 as positions need it, then in the dtype of x."""
    xp = array_namespace(x)
    i, h = _range(x, out, xp.float64), _range(x, size, xp.float64)
    p = xp.minimum(xp.maximum((i + 0.5) * (size / out) - 0.5, 0.0), size - 1.0)
    distance = xp.abs(xp.expand_dims(p, axis=1) - h)
    return xp.astype(xp.maximum(1.0 - distance, 0.0), x.dtype)


def _sources(x: Array, out: int, size: int) -> Array:
    """floor(i H / OH) for each row i of y."""
    return _range(x, out, array_namespace(x).int64) * size // out


def _ones_at(x: Array, sources: Array, size: int) -> Array:
    """One 1 in each row, where its source is."""
    xp = array_namespace(x)
    return xp.astype(xp.expand_dims(sources, axis=1) == _range(x, size, xp.int64), x.dtype)


def _range(x: Array, count: int, dtype: Any) -> Array:
    return array_namespace(x).arange(count, dtype=dtype, device=device_of(x))
