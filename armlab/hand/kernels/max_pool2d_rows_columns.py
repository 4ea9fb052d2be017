"""Max pooling by rows, then by columns: R + S taps instead of R S.

    u[n,c,h,j] = max_s x[n, c, h, t j + s - p]      of each row
    y[n,c,i,j] = max_r u[n, c, t i + r - p, j]      of these, each column

The first of equals in the window, row by row, is the first row that holds the maximum, and in it
the first column.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from armlab.hand.kernels.keep_where import keep_where
from armlab.hand.kernels.kernel import Backward
from armlab.hand.window import Pair, Window, overlap

Part = tuple[Any, ...]  # a slice for one axis, as an index


def max_pool2d(x: np.ndarray, window: Window, out: Pair) -> tuple[np.ndarray, Backward]:
    """Equals `hand.max_pool2d`; dx to the order of its sums."""
    u, rows_back = max_along(3, x, window, out)
    y, columns_back = max_along(2, u, window, out)  # (1)

    def backward(dy: np.ndarray) -> np.ndarray:
        return rows_back(columns_back(dy))  # (2)

    return y, backward


def max_along(axis: int, x: np.ndarray, window: Window, out: Pair) -> tuple[np.ndarray, Backward]:
    """The maxima of windows along one axis of the image, each with `kernel` taps."""
    kernel = window.kernel[axis - 2]
    taps = list(_taps(axis, x.shape[axis], window, out))
    y = np.full((*x.shape[:axis], out[axis - 2], *x.shape[axis + 1 :]), -np.inf, x.dtype)
    for _, windows, met in taps:
        np.maximum(y[windows], x[met], out=y[windows])

    def backward(dy: np.ndarray) -> np.ndarray:
        # Of several taps that hold the maximum, the one of the highest rank won: the first of
        # equals, but the last of NaNs.
        nan = np.isnan(y).astype(np.int16)

        def rank(tap: int) -> np.ndarray:
            return nan * (2 * tap + 1 - kernel) + (kernel - tap)  # kernel - tap; NaN: tap + 1

        best = np.zeros_like(nan)
        for tap, windows, met in taps:
            ranked = ((x[met] == y[windows]) | np.isnan(x[met])) * rank(tap)[windows]
            np.maximum(best[windows], ranked, out=best[windows])
        dx = np.zeros(x.shape, x.dtype)
        for tap, windows, met in taps:
            dx[met] += keep_where((best == rank(tap))[windows], dy[windows])
        return dx

    return y, backward


def _taps(axis: int, size: int, window: Window, out: Pair) -> Iterator[tuple[int, Part, Part]]:
    """Each tap, the windows in which it is no padding, and the pixels that it is there."""
    kernel, stride, padding, count = (
        pair[axis - 2] for pair in (window.kernel, window.stride, window.padding, out)
    )
    before = (slice(None),) * axis
    for tap in range(kernel):
        windows, met = overlap(tap - padding, count, size, stride)
        if windows.start < windows.stop:
            met = slice(met.start, min(met.stop, size), stride)
            yield tap, (*before, windows, ...), (*before, met, ...)
