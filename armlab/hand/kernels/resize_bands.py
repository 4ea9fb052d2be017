"""Resizing without most of the zeros of its matrices.

The entries of A and B lie along the diagonal: pixels of either side of a resizing meet where they
lie within a pixel of one another, a pixel of the coarser side. So rows of A are taken 32 at a
time, and multiplied with the columns that are not 0 there alone. They are looked up: the matrix is
small, and so it does not matter how its positions were found.
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
    for rows, columns in bands(a):
        y[:, :, rows] = a[rows, columns] @ x[:, :, columns]
    return y


def _right(x: np.ndarray, b: np.ndarray) -> np.ndarray:
    """x Bᵀ for every image and channel, all their rows in one product."""
    n, c, h, w = x.shape
    flat = x.reshape(n * c * h, w)
    y = np.empty((n * c * h, len(b)), x.dtype)
    for rows, columns in bands(b):
        y[:, rows] = flat[:, columns] @ b[rows, columns].T
    return y.reshape(n, c, h, len(b))


def bands(matrix: np.ndarray) -> Iterator[tuple[slice, slice]]:
    """Rows of a matrix, 32 at a time, and the columns from the first to the last that is not 0."""
    for first in range(0, len(matrix), 32):
        rows = slice(first, min(first + 32, len(matrix)))
        used = np.flatnonzero(matrix[rows].any(axis=0))
        columns = slice(int(used[0]), int(used[-1]) + 1) if used.size else slice(0, 0)
        yield rows, columns
