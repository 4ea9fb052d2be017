"""Three kernel rows at stride 1, Winograd F(4, 3) along the rows: half of the products.

Four rows of y read six rows d of x and three rows g of the kernel, with 4 · 3 products in each
column. Six suffice (Winograd 1980; for networks Lavin and Gray, arXiv 1509.09308). A convolution
multiplies polynomials; both are evaluated at six points, multiplied there, and interpolated:

    y = A [(G g) · (B d)]                                                   (1)

    G  (6, 3)   the kernel at the points,   B  (6, 6)   the image,   A  (4, 6)   the way back

Here each "product" is a matrix product over all channels and kernel columns, so that (1) is three
matrix products, of which the middle one is nearly all of the work, and half of the direct one.
Everything is linear, so the backward is (1) read from right to left with transposed matrices.

Rounding grows with the entries of A, G and B, see `armlab.check.bounds.winograd`. The points
0, ±2/3, ±3/2, ∞ keep them small: half the growth of the usual 0, ±1, ±2, ∞. Sums of integers
are no longer exact. Nothing is kept but x and w.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np
from numpy.typing import NDArray

from armlab.hand.kernels.blocks import blocks
from armlab.hand.kernels.kernel import KernelBackward
from armlab.hand.window import Window, overlap

POINTS = (0.0, 2 / 3, -2 / 3, 3 / 2, -3 / 2)  # and infinity
TILE = 4  # rows of y that are computed together
BLOCK = 256  # columns of the middle product at a time, so that its operands stay in cache


def fits(window: Window, groups: int) -> bool:
    """Three kernel rows side by side, at stride 1, and y as wide as x."""
    (rows, cols), (_, left), (down, right) = window.kernel, window.padding, window.dilation
    same_width = 2 * left == right * (cols - 1)
    return (rows, down, window.stride, groups) == (3, 1, (1, 1), 1) and same_width


@cache
def matrices(dtype: np.dtype) -> tuple[NDArray, NDArray, NDArray]:
    """A (4, 6), G (6, 3) and B (6, 6) of equation (1). The last column or row is infinity's."""
    points = np.array(POINTS)
    a, g, b = np.zeros((TILE, 6)), np.zeros((6, 3)), np.zeros((6, 6))
    for i, point in enumerate(POINTS):
        others = np.delete(points, i)
        a[:, i] = point ** np.arange(TILE)
        g[i] = point ** np.arange(3) / np.prod(point - others)
        b[i, :5] = np.poly(others)[::-1]  # 0 at every other point
    a[3, 5], g[5, 2], b[5] = 1.0, 1.0, np.poly(points)[::-1]
    return a.astype(dtype), g.astype(dtype), b.astype(dtype)


def conv2d(
    x: NDArray, w: NDArray, window: Window, groups: int = 1
) -> tuple[NDArray, KernelBackward]:
    """Equals `conv2d_by_taps` up to the rounding of equation (1).

    x  (N, C, H, W)    w  (K, C, 3, S)    y  (N, K, OH, W)

    A NaN or an infinity reaches the four rows of its tile.
    """
    return by_matrices(x, w, window, *matrices(x.dtype))


def by_matrices(
    x: NDArray, w: NDArray, window: Window, a: NDArray, g: NDArray, b: NDArray
) -> tuple[NDArray, KernelBackward]:
    """Equation (1) with these matrices, whatever they are: the error bound has their sizes."""
    (n, c, h, width), (k, _, _, ks) = x.shape, w.shape
    oh, _ = window.output_size("conv2d kernel", (h, width))
    top, shifts = window.padding[0], [window.dilation[1] * (s - ks // 2) for s in range(ks)]

    y = np.empty((n, k, oh, width), x.dtype)
    gw = (g @ w.transpose(2, 0, 3, 1).reshape(3, -1)).reshape(6, k, ks * c)
    for images, tiles in blocks(n, -(-oh // TILE), width, BLOCK):
        bx = _with_shifts(_times_rows(b, x[images], tiles, -top), shifts)
        for rows, ys in _aligned(_times(a, gw @ bx, tiles, width), y[images], tiles, 0):
            ys[...] = rows

    def backward(dy: NDArray, input_grad: bool) -> tuple[NDArray | None, NDArray]:
        # (1) from right to left: Aᵀ meets four rows of dy, and Bᵀ gives six rows of dx, which
        #     overlap and add up. dy is shifted the other way, once for dx and for dw.
        dx = np.zeros(x.shape, x.dtype) if input_grad else None
        dgw = np.zeros((6, ks * k, c), x.dtype)
        gw = (g @ w.transpose(2, 1, 3, 0).reshape(3, -1)).reshape(6, c, ks * k)
        for images, tiles in blocks(n, -(-oh // TILE), width, BLOCK):
            ady = _with_shifts(_times_rows(a.T, dy[images], tiles, 0), [-t for t in shifts])
            bx = _times_rows(b, x[images], tiles, -top).reshape(6, c, -1)
            dgw += ady @ bx.transpose(0, 2, 1)
            if dx is not None:
                drows = _times(b.T, gw @ ady, tiles, width)
                for rows, dxs in _aligned(drows, dx[images], tiles, -top):
                    dxs += rows
        dw = (g.T @ dgw.reshape(6, -1)).reshape(3, ks, k, c)
        return dx, np.ascontiguousarray(dw.transpose(2, 3, 0, 1))

    return y, backward


def _times_rows(matrix: NDArray, x: NDArray, tiles: slice, first: int) -> NDArray:
    """The matrix times the rows 4 t + first, … of each tile t.  -> (6, C, N, tiles, W)"""
    n, c, _, width = x.shape
    rows = np.zeros((matrix.shape[1], c, n, tiles.stop - tiles.start, width), x.dtype)
    for row, xs in _aligned(rows, x, tiles, first):
        row[...] = xs
    return (matrix @ rows.reshape(len(rows), -1)).reshape(6, *rows.shape[1:])


def _times(matrix: NDArray, products: NDArray, tiles: slice, width: int) -> NDArray:
    """The matrix times the six products.  (6, K, P) -> (rows, K, N, tiles, W)"""
    rows = matrix @ products.reshape(6, -1)
    return rows.reshape(len(matrix), products.shape[1], -1, tiles.stop - tiles.start, width)


def _aligned(
    rows: NDArray, x: NDArray, tiles: slice, first: int
) -> Iterator[tuple[NDArray, NDArray]]:
    """Views of row j of every tile, and of row 4 t + first + j of x: those that are inside x."""
    for j, row in enumerate(rows):
        met, inside = overlap(
            TILE * tiles.start + first + j, tiles.stop - tiles.start, x.shape[2], TILE
        )
        yield row[:, :, met].swapaxes(0, 1), x[:, :, inside]


def _with_shifts(u: NDArray, shifts: list[int]) -> NDArray:
    """v[:, s, …, j] = u[…, j + shifts[s]], and 0 outside.  (6, C, N, tiles, W) -> (6, S C, P)"""
    v = np.zeros((6, len(shifts), *u.shape[1:]), u.dtype)
    for s, shift in enumerate(shifts):
        to, met = overlap(shift, u.shape[-1], u.shape[-1])
        v[:, s, ..., to] = u[..., met]
    return v.reshape(6, len(shifts) * u.shape[1], -1)
