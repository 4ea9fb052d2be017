"""Convolution on CuPy: columns by one kernel, one product, and a gather for dx.

    y[n] = w columns(x)[n] + b                                              (1)
    dx   = gather(wᵀ dy),   dw = Σ_n dy[n] columns(x)[n]ᵀ,   db = Σ dy      (2)

See `cuda/columns.cu` and `cuda/gather.cu`. Images are taken in parts, so that the columns, which
are R S times as large as x, never need more than `MOST` bytes. Of a 1×1 kernel that leaves no pixel
out, x is its own columns and wᵀ dy is dx. The sum over images goes along with the gather, the bias
with the weights, and w for each group is laid out with the columns.

Launches: 2 forward, 4 backward.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from armlab.arrays import Array
from armlab.hand.kernels import cuda
from armlab.hand.kernels.kernel import Backward
from armlab.hand.kernels.matrix_products import multiply
from armlab.hand.window import Window

MOST = 1 << 28  # bytes of columns at a time
PLANES = 4  # of a thread, as in `cuda/window.cuh`
ALONE = Window.of((1, 1))  # a pixel for itself
Shape = tuple[int, ...]
KEPT = 512  # convolutions whose sizes are kept: more than a network has


def conv2d(
    x: Array, w: Array, window: Window, groups: int = 1
) -> tuple[Array, Callable[[Array, bool], tuple[Array | None, Array]]]:
    """Equals `conv2d_by_taps` to the order of its sums.

    x  (N, C, H, W)     w  (K, C/g, R, S)    y  (N, K, OH, OW)
    """
    y, convolve_back = conv2d_with_bias(x, w, None, window, groups)

    def backward(dy: Array, input_grad: bool) -> tuple[Array | None, Array]:
        dx, dw, _ = convolve_back(dy, input_grad)
        return dx, dw

    return y, backward


def has_columns(x: Array, w: Array, b: Array, window: Window, groups: int) -> bool:
    """Behind their rows there is room for a row of ones, which takes the bias along."""
    return not _is_whole(window, groups)


def conv2d_with_bias(
    x: Array, w: Array, b: Array | None, window: Window, groups: int = 1
) -> tuple[Array, Backward]:
    """Equals `hand.conv2d` to the order of its sums. Without columns b has to be None.

    x  (N, C, H, W)    w  (K, C/g, R, S)    b  (K,) or None    y  (N, K, OH, OW)
    """
    x, w = cuda.contiguous(x), cuda.contiguous(w)
    b = None if b is None else cuda.contiguous(b)
    sizes = _sizes(x.shape, w.shape, window, groups, int(b is not None))
    y = cuda.empty(x, (len(x), groups, sizes.k, sizes.pixels))
    for images in sizes.parts(x.itemsize):
        columns, matrices = sizes.laid_out(x[images], w, b)
        multiply(matrices, columns, sizes.stack(y[images]))  # (1)

    def backward(dy: Array, input_grad: bool = True) -> tuple[Array | None, Array, Array | None]:
        dys = cuda.contiguous(dy).reshape(y.shape)
        dx = cuda.empty(x, x.shape) if input_grad else None
        dw, db = cuda.empty(w, w.shape), None if b is None else cuda.empty(w, b.shape)
        if not len(x):  # sums of nothing
            for a in (dw,) if db is None else (dw, db):
                a.fill(0)
        for images in sizes.parts(x.itemsize):
            columns, matrices = sizes.laid_out(x[images], w, None)
            part = sizes.stack(dys[images])
            dws = cuda.empty(x, (len(columns), sizes.k, sizes.rows))
            multiply(part, columns, dws, b_transposed=True)
            of_part = None if dx is None else dx[images]
            sizes.gather(matrices, part, dws, (of_part, dw, db), images.start)  # (2)
        return dx, dw, db

    return y.reshape(len(x), w.shape[0], *sizes.out), backward


def _is_whole(window: Window, groups: int) -> bool:
    """Whether x is its own columns."""
    return window == ALONE and groups == 1


class _Sizes:
    """The sizes of one convolution, and what is made of one part of its images."""

    def __init__(self, shape: Shape, kernel: Shape, window: Window, groups: int, ones: int) -> None:
        self.shape, self.kernel, self.groups = shape, kernel, groups
        self.k, self.ones = kernel[0] // groups, ones
        self.taps = prod(kernel[1:])  # of an output channel: C/g R S
        self.rows = self.taps + ones  # of a group's columns
        self.out = window.output_size("conv2d kernel", shape[2:])
        self.pixels = self.out[0] * self.out[1]
        self.whole = _is_whole(window, groups)
        (t, u), (p, q), (d, e) = window.stride, window.padding, window.dilation
        (_, c, h, w), (_, each, r, s), (oh, ow) = shape, kernel, self.out
        self.sides = {"c": c, "h": h, "w": w, "oh": oh, "ow": ow, "r": r, "s": s}
        self.sides |= {"t": t, "u": u, "p": p, "q": q, "d": d, "e": e, "each": each, "ones": ones}
        self.steps = {"down": d // t, "rest": d % t, "along": e // u, "over": e % u}

    def parts(self, itemsize: int) -> Iterator[slice]:
        """Images whose columns fit into `MOST` bytes, at least one at a time."""
        images, of_one = self.shape[0], self.groups * self.rows * self.pixels * itemsize
        step = images if self.whole else max(1, MOST // of_one)
        for start in range(0, images, max(step, 1)):
            yield slice(start, start + step)

    def stack(self, part: Array) -> Array:
        """(N, g, K/g, P) as a stack of matrices, an image's groups one after the other."""
        return part.reshape(-1, self.k, self.pixels)

    def laid_out(self, x: Array, w: Array, b: Array | None) -> tuple[Array, Array]:
        """x (N, C, H, W) as columns (N g, C/g R S, P), with ones below them where there are any.

        And w as one matrix (K, C/g R S) for all of them, or where groups take turns as one for
        each, (N g, K/g, C/g R S), with b behind it.
        """
        if self.whole:
            return x.reshape(-1, self.taps, self.pixels), w.reshape(self.k, self.taps)
        n, biased = len(x), b is not None
        if self.groups == 1 and not biased:
            matrices, numbers = w.reshape(self.k, self.taps), 0
        else:
            stack = (n * self.groups,) if self.groups > 1 else ()
            matrices = cuda.empty(w, (*stack, self.k, self.taps + biased))
            numbers = matrices.size
        columns = cuda.empty(x, (n * self.groups, self.rows, self.pixels))
        laid = cuda.structure(numbers=numbers, weights=w.size, taps=self.taps, biased=biased)
        given = x, columns, w, cuda.NOTHING if b is None else b, matrices, self.numbers(n), laid
        threads = self.planes(n) * self.pixels + numbers
        cuda.launch("columns", "columns", x, threads, *given)
        return columns, matrices

    def gather(
        self, w: Array, dy: Array, dws: Array, into: tuple[Any, Array, Any], before: int
    ) -> None:
        """(2) from dy (N g, K/g, P) and dws (N g, K/g, C/g R S), into dx, dw and db.

        into    dx and db are None where nobody asks for them
        before  how many images dw has already
        """
        dx, dw, db = into
        dcolumns, threads = dws, 0  # without a thread of dx nothing is read of it
        if dx is not None:
            shape = len(dy), self.taps, self.pixels
            dcolumns = dx.reshape(shape) if self.whole else cuda.empty(dx, shape)
            multiply(w, dy, dcolumns, a_transposed=True)
            threads = 0 if self.whole else self.planes(len(dx)) * dx.shape[2] * dx.shape[3]
        weights = self.kernel[0] * self.rows
        gathered = cuda.structure(threads=threads, weights=weights, before=before, **self.steps)
        given = dcolumns, dws, dw if dx is None else dx, dw, cuda.NOTHING if db is None else db
        numbers = self.numbers(len(dy) // self.groups)
        cuda.launch("gather", "gather", dw, threads + weights, *given, numbers, gathered)

    def planes(self, images: int) -> int:
        """How many threads share the channels of so many images, at each position."""
        return -(-images * self.shape[1] // PLANES)

    def numbers(self, images: int) -> np.void:
        """As `struct Window`."""
        return cuda.structure(n=images, **self.sides)


_sizes = lru_cache(KEPT)(_Sizes)
