"""Resizing without most of the zeros of its matrices.

The entries of A and B lie along the diagonal: pixels of either side of a resizing meet where they
lie within a pixel of one another, a pixel of the coarser side. So rows of A are taken 32 at a
time, and multiplied with the columns that are not 0 there alone.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np


def resize(a: np.ndarray, x: np.ndarray, b: np.ndarray) -> np.ndarray:
    """A x Bᵀ for every image and channel, for the matrices of `armlab.hand.resize`."""
    return _left(a, _right(x, b))


def _left(a: np.ndarray, x: np.ndarray) -> np.ndarray:
    """A x for every image and channel."""
    n, c, _, w = x.shape
    y = np.empty((n, c, len(a), w), x.dtype)
    for rows, columns in bands(*a.shape):
        y[:, :, rows] = a[rows, columns] @ x[:, :, columns]
    return y


def _right(x: np.ndarray, b: np.ndarray) -> np.ndarray:
    """x Bᵀ for every image and channel, all their rows in one product."""
    n, c, h, w = x.shape
    flat = x.reshape(n * c * h, w)
    y = np.empty((n * c * h, len(b)), x.dtype)
    for rows, columns in bands(*b.shape):
        y[:, rows] = flat[:, columns] @ b[rows, columns].T
    return y.reshape(n, c, h, len(b))


def bands(rows: int, columns: int) -> Iterator[tuple[slice, slice]]:
    """Rows of a matrix, 32 at a time, and the columns that are not 0 there."""
    scale = columns / rows
    reach = max(scale, 1.0) + 1.0  # one more than needed: to be exact is not worth it
    for first in range(0, rows, 32):
        last = min(first + 32, rows)
        start, stop = (first + 0.5) * scale - reach, (last - 0.5) * scale + reach
        yield slice(first, last), slice(max(0, int(start)), min(columns, int(stop) + 1))
