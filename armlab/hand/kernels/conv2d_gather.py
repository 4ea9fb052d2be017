"""Convolution on CuPy: columns by one kernel, one product, and a gather for dx.

    y[n] = w columns(x)[n]                                                  (1)
    dx   = gather(wᵀ dy),   dw = Σ_n dy[n] columns(x)[n]ᵀ                   (2)

columns and gather are in `cuda/columns.cu`. Images are taken in parts, so that the columns, which
are R S times as large as x, never need more than `MOST` bytes. Of a 1×1 kernel that leaves no pixel
out, x is its own columns and wᵀ dy is dx. The sum over images goes along with the gather. Launches:
2 forward, 4 backward; with groups 3 and 5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from armlab.arrays import Array, array_namespace
from armlab.hand.kernels import cuda
from armlab.hand.kernels.matrix_products import multiply
from armlab.hand.window import Window

MOST = 1 << 28  # bytes of columns at a time


def conv2d(
    x: Array, w: Array, window: Window, groups: int = 1
) -> tuple[Array, Callable[[Array, bool], tuple[Array | None, Array]]]:
    """Equals `conv2d_by_taps` to the order of its sums.

    x  (N, C, H, W)    w  (K, C/g, R, S)    y  (N, K, OH, OW)
    """
    xp = array_namespace(x, w)
    x, w = cuda.contiguous(x), cuda.contiguous(w)
    shape = _Shape(x, w, window, groups)
    y = cuda.empty(x, (len(x), groups, shape.k, shape.pixels))
    for images in shape.parts():
        columns = shape.columns(x[images])
        multiply(shape.kernels(w, columns), columns, shape.stack(y[images]))  # (1)

    def backward(dy: Array, input_grad: bool) -> tuple[Array | None, Array]:
        dys = xp.reshape(cuda.contiguous(dy), y.shape)
        dx = cuda.empty(x, x.shape) if input_grad else None
        dw = cuda.empty(w, w.shape) if len(x) else xp.zeros_like(w)
        for images in shape.parts():
            columns, part = shape.columns(x[images]), shape.stack(dys[images])
            dws = cuda.empty(x, (len(columns), shape.k, shape.taps))
            multiply(part, columns, dws, b_transposed=True)
            shape.gather(w, part, dws, None if dx is None else dx[images], dw, images.start)  # (2)
        return dx, dw

    return xp.reshape(y, (len(x), w.shape[0], *shape.out)), backward


class _Shape:
    """The sizes of one convolution, and what is made of one part of its images."""

    def __init__(self, x: Array, w: Array, window: Window, groups: int) -> None:
        self.groups, self.k = groups, w.shape[0] // groups
        self.taps = w.shape[1] * w.shape[2] * w.shape[3]  # of an output channel: C/g R S
        self.images, self.bytes = x.shape[0], x.itemsize
        self.out = window.output_size("conv2d kernel", x.shape[2:])
        self.pixels = self.out[0] * self.out[1]
        self.window, self.size = window, x.shape
        self.whole = window == Window.of((1, 1)) and groups == 1  # x is its own columns

    def parts(self) -> Iterator[slice]:
        """Images whose columns fit into `MOST` bytes, at least one at a time."""
        of_one = max(self.groups * self.taps * self.pixels * self.bytes, 1)
        step = self.images if self.whole else max(1, MOST // of_one)
        for start in range(0, self.images, max(step, 1)):
            yield slice(start, start + step)

    def stack(self, part: Array) -> Array:
        """(N, g, K/g, P) as a stack of matrices, an image's groups one after the other."""
        return part.reshape(-1, self.k, self.pixels)

    def columns(self, x: Array) -> Array:
        """(N, C, H, W) -> (N g, C/g R S, P)"""
        if self.whole:
            return x.reshape(-1, self.taps, self.pixels)
        found = cuda.empty(x, (len(x) * self.groups, self.taps, self.pixels))
        cuda.launch("columns", "columns", x, found.size, x, found, self._numbers(len(x)))
        return found

    def gather(
        self, w: Array, dy: Array, dws: Array, dx: Array | None, dw: Array, before: int
    ) -> None:
        """(2) from dy (N g, K/g, P) and dws (N g, K/g, C/g R S), into dx (N, C, H, W) and dw.

        before  how many images dw has already
        """
        dcolumns, pixels = dws, 0  # without pixels nothing is read of it
        if dx is not None:
            shape, pixels = (len(dy), self.taps, self.pixels), 0 if self.whole else dx.size
            dcolumns = dx.reshape(shape) if self.whole else cuda.empty(dx, shape)
            multiply(self.kernels(w, dy), dy, dcolumns, a_transposed=True)
        numbers = self._numbers(len(dy) // self.groups)
        gathered = cuda.structure(pixels=pixels, weights=dw.size, before=before)
        into = dw if dx is None else dx
        given = dcolumns, dws, into, dw, numbers, gathered
        cuda.launch("columns", "gather", dw, pixels + dw.size, *given)

    def kernels(self, w: Array, stack: Array) -> Array:
        """w as one matrix for all of a stack, or, where groups take turns, as one for each."""
        matrices = w.reshape(self.groups, self.k, self.taps)
        if self.groups == 1:
            return matrices[0]
        xp = array_namespace(w)
        each = xp.broadcast_to(matrices, (len(stack) // self.groups, *matrices.shape))
        return cuda.contiguous(each).reshape(-1, self.k, self.taps)

    def _numbers(self, images: int) -> Any:
        _, c, h, w = self.size
        (r, s), (t, u), (p, q), (d, e) = (
            *(self.window.kernel, self.window.stride),
            *(self.window.padding, self.window.dilation),
        )
        oh, ow = self.out
        sizes = {"n": images, "c": c, "h": h, "w": w, "oh": oh, "ow": ow, "r": r, "s": s}
        return cuda.structure(**sizes, t=t, u=u, p=p, q=q, d=d, e=e)
