"""Strips end to end: one value per row and one per column in a single strip, and apart again.

Coordinate attention mixes both with one convolution. Nothing is computed here, values only move,
and each of the two functions undoes the other: so each is the other's backward.
"""

from __future__ import annotations

from armlab.arrays import Array, array_namespace
from armlab.hand import kernels
from armlab.hand.backward import Backward
from armlab.hand.expect import expect_features, is_whole


def join_strips(rows: Array, columns: Array) -> tuple[Array, Backward]:
    """The rows' strip, and behind it that of the columns.

    rows     (N, C, H, 1)
    columns  (N, C, 1, W)
    y        (N, C, H + W, 1)       y = [rows ; columnsᵀ]               (1)

    Raises ValueError for other shapes, and where batch or channels differ.
    """
    expect_features("join_strips", rows)
    expect_features("join_strips", columns)
    array_namespace(rows, columns)
    (n, c, height, _), other = rows.shape, tuple(columns.shape)
    if rows.shape[3] != 1 or other[:3] != (n, c, 1):
        raise ValueError(
            f"join_strips expected rows (N, C, H, 1) and columns (N, C, 1, W) of one batch and as "
            f"many channels, got {tuple(rows.shape)} and {other}: take them from `strip_mean`"
        )
    if kernel := kernels.choose("join_strips", rows, columns):
        return kernel(rows, columns)

    def backward(dy: Array) -> tuple[Array, Array]:
        return _apart(dy, height)  # (1) each value went to one place

    return _end_to_end(rows, columns), backward


def split_strips(x: Array, *, height: int) -> tuple[tuple[Array, Array], Backward]:
    """The strip of the rows and that of the columns, out of one that holds both.

    x        (N, C, H + W, 1), H = height
    y, y2    (N, C, H, 1), (N, C, 1, W)         [y ; y2ᵀ] = x           (2)

    backward takes the gradients of both. Raises ValueError where there are not so many rows.
    """
    expect_features("split_strips", x)
    if x.shape[3] != 1 or not is_whole(height, 1) or height >= x.shape[2]:
        raise ValueError(
            f"split_strips expected x (N, C, H + W, 1) with 0 < height < H + W, got "
            f"{tuple(x.shape)} and height={height!r}: give it what `join_strips` made"
        )
    if kernel := kernels.choose("split_strips", x, height):
        return kernel(x, height)

    def backward(dy: tuple[Array, Array]) -> Array:
        return _end_to_end(*dy)  # (2) each value came from one place

    return _apart(x, height), backward


def _end_to_end(rows: Array, columns: Array) -> Array:
    xp = array_namespace(rows, columns)
    return xp.concat([rows, xp.matrix_transpose(columns)], axis=2)


def _apart(strip: Array, height: int) -> tuple[Array, Array]:
    xp = array_namespace(strip)
    rows, columns = strip[:, :, :height, :], xp.matrix_transpose(strip[:, :, height:, :])
    return xp.asarray(rows, copy=True), xp.asarray(columns, copy=True)
