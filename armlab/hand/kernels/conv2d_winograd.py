"""Three kernel rows at stride 1, Winograd F(4, 3) along the rows: half of the products.

Four rows of y read six rows d of x and three rows g of the kernel, with 4 · 3 products in each
column. Six suffice (Winograd 1980; for networks Lavin and Gray, arXiv 1509.09308). A convolution
multiplies polynomials; both are evaluated at six points, multiplied there, and interpolated:

    y = A [(G g) · (B d)]                                                   (1)

    G  (6, 3)   the kernel at the points,   B  (6, 6)   the image,   A  (4, 6)   the way back

Here each "product" is a matrix product over all channels and kernel columns, so that (1) is three
matrix products, of which the middle one is nearly all of the work, and half of the direct one.
Everything is linear, so the backward is (1) read from right to left with transposed matrices.

Rounding grows with the entries of A, G and B, see `armlab.check.cases.conv2d`. The points
0, ±2/3, ±3/2, ∞ keep them small: half the growth of the usual 0, ±1, ±2, ∞. Sums of integers
are no longer exact. Nothing is kept but x and w.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from armlab.hand.kernels.blocks import blocks
from armlab.hand.kernels.kernel import KernelBackward, clear_unmet, products, sum_of
from armlab.hand.kernels.parts import in_parts
from armlab.hand.window import Window, overlap

POINTS = (0.0, 2 / 3, -2 / 3, 3 / 2, -3 / 2)  # and infinity
TILE = 4  # rows of y that are computed together
BLOCK = 2**18  # numbers in the operands of a block: 1 MiB in float32
NARROWEST = 256  # columns of the middle product, at the least


def fits(x: np.ndarray, w: np.ndarray, window: Window, groups: int) -> bool:
    """Three kernel rows side by side, at stride 1, and y as wide as x.

    With few channels the transforms would cost more than the products that they save.
    """
    (rows, cols), (_, left), (down, right) = window.kernel, window.padding, window.dilation
    same_width, many = 2 * left == right * (cols - 1), min(w.shape[:2]) >= 8
    return (rows, down, window.stride, groups) == (3, 1, (1, 1), 1) and same_width and many


@cache
def matrices(dtype: np.dtype) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
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
    x: np.ndarray, w: np.ndarray, window: Window, groups: int = 1
) -> tuple[np.ndarray, KernelBackward]:
    """Equals `conv2d_by_taps` up to the rounding of equation (1).

    x  (N, C, H, W)    w  (K, C, 3, S)    y  (N, K, OH, W)

    A NaN or an infinity reaches the four rows of its tile.
    """
    return by_matrices(x, w, window, *matrices(x.dtype))


def by_matrices(
    x: np.ndarray, w: np.ndarray, window: Window, a: np.ndarray, g: np.ndarray, b: np.ndarray
) -> tuple[np.ndarray, KernelBackward]:
    """Equation (1) with these matrices, whatever they are: the error bound has their sizes."""
    (n, c, h, width), (k, _, _, ks) = x.shape, w.shape
    oh, _ = window.output_size("conv2d kernel", (h, width))
    (top, left), right, tiles = window.padding, window.dilation[1], -(-oh // TILE)
    shifts = [overlap(right * s - left, width, width) for s in range(ks)]

    y = np.empty((n, k, TILE * tiles, width), x.dtype)
    gw = (g @ w.transpose(2, 0, 3, 1).reshape(3, -1)).reshape(6, k, ks * c)

    def forward_part(part: slice) -> None:
        for images, band in blocks(len(x[part]), tiles, width, _columns(ks * c + k)):
            bx = _times(b, _six_rows(x[part][images], band, top))
            met = (gw @ _with_shifts(bx, shifts)).reshape(6, k, *bx.shape[2:])
            ys = y[part][images, :, TILE * band.start : TILE * band.stop]
            _in_tiles(ys)[...] = _times(a, met)

    in_parts(n, forward_part, products(y, w))
    y = y if oh == y.shape[2] else y[:, :, :oh].copy()

    def backward(dy: np.ndarray, input_grad: bool) -> tuple[np.ndarray | None, np.ndarray]:
        # (1) from right to left: Aᵀ meets four rows of dy, and Bᵀ gives six rows of dx, which
        #     overlap and add up. dy is shifted the other way, once for dx and for dw.
        dx = np.zeros(x.shape, x.dtype) if input_grad else None
        gw = (g @ w.transpose(2, 1, 3, 0).reshape(3, -1)).reshape(6, c, ks * k)
        back = [(met, to) for to, met in shifts]

        def backward_part(part: slice) -> np.ndarray:
            dgw = np.zeros((6, ks * k, c), x.dtype)
            for images, band in blocks(len(x[part]), tiles, width, _columns(ks * k + c)):
                dys = _rows(dy[part][images], TILE * band.start, TILE * (band.stop - band.start))
                ady = _with_shifts(_times(a.T, _in_tiles(dys)), back)
                bx = _times(b, _six_rows(x[part][images], band, top))
                dgw += ady @ bx.reshape(6, c, -1).transpose(0, 2, 1)
                if dx is not None:
                    dd = _times(b.T, (gw @ ady).reshape(bx.shape))
                    _add_six_rows(dx[part][images], dd, band, top)
            return dgw

        dgw = sum_of(in_parts(n, backward_part, products(dy, w)))
        dw = (g.T @ dgw.reshape(6, -1)).reshape(3, ks, k, c)
        clear_unmet(dw, [overlap(r - top, oh, h)[0] for r in range(3)], [to for to, _ in shifts])
        return dx, np.ascontiguousarray(dw.transpose(2, 3, 0, 1))

    return y, backward


def _columns(channels: int) -> int:
    """How many columns a block has, of so many channels that go into six products or come out."""
    return max(NARROWEST, BLOCK // (6 * channels))


def _times(matrix: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Row j of the result is Σ_i matrix[j, i] rows[i].  (R, …) -> (J, …)"""
    return (matrix @ rows.reshape(len(rows), -1)).reshape(len(matrix), *rows.shape[1:])


def _rows(x: np.ndarray, first: int, count: int) -> np.ndarray:
    """Rows first ... first + count of x, with 0 outside: a view where they are all inside."""
    if first >= 0 and first + count <= x.shape[2]:
        return x[:, :, first : first + count]
    rows = np.zeros((*x.shape[:2], count, x.shape[3]), x.dtype)
    to, met = overlap(first, count, x.shape[2])
    rows[:, :, to] = x[:, :, met]
    return rows


def _in_tiles(rows: np.ndarray) -> np.ndarray:
    """Four rows of each tile, as a view.  (N, C, 4 tiles, W) -> (4, C, N, tiles, W)"""
    n, c, h, width = rows.shape
    return rows.reshape(n, c, h // TILE, TILE, width).transpose(3, 1, 0, 2, 4)


def _six_rows(x: np.ndarray, band: slice, top: int) -> np.ndarray:
    """d of (1): four rows of each tile, and two of the next.  -> (6, C, N, tiles, W)"""
    tiles = band.stop - band.start
    four = _in_tiles(_rows(x, TILE * band.start - top, TILE * (tiles + 1)))
    d = np.empty((6, *four.shape[1:3], tiles, x.shape[3]), x.dtype)
    d[:4], d[4:] = four[:, :, :, :-1], four[:2, :, :, 1:]
    return d


def _add_six_rows(dx: np.ndarray, dd: np.ndarray, band: slice, top: int) -> None:
    """The backward of `_six_rows`, which used two rows twice."""
    _, c, n, tiles, width = dd.shape
    rows = np.zeros((n, c, TILE * (tiles + 1), width), dd.dtype)
    four = _in_tiles(rows)
    four[:, :, :, :-1] = dd[:4]
    four[:2, :, :, 1:] += dd[4:]
    met, to = overlap(TILE * band.start - top, TILE * (tiles + 1), dx.shape[2])
    dx[:, :, to] += rows[:, :, met]


def _with_shifts(u: np.ndarray, shifts: list[tuple[slice, slice]]) -> np.ndarray:
    """u shifted by each kernel column, with 0 outside.  (6, C, N, tiles, W) -> (6, S C, P)"""
    v = np.zeros((6, len(shifts), *u.shape[1:]), u.dtype)
    for s, (to, met) in enumerate(shifts):
        v[:, s, ..., to] = u[..., met]
    return v.reshape(6, len(shifts) * u.shape[1], -1)
