"""Convolution on CuPy of maps with one pixel, as behind a pool: a linear layer.

    y = x wᵀ,   dx = dy w,   dw = dyᵀ x                                     (1)

with x as (N, C) and w as (K, C): the sum over images is inside the product, and not a launch of its
own behind it. Launches: 1 forward, 2 backward.
"""

from __future__ import annotations

from collections.abc import Callable

from armlab.arrays import Array
from armlab.hand.kernels import cuda
from armlab.hand.kernels.matrix_products import multiply
from armlab.hand.window import Window


def fits(x: Array, w: Array, window: Window, groups: int) -> bool:
    """One pixel, and a kernel that sees it alone."""
    return x.shape[2:] == (1, 1) and window == Window.of((1, 1)) and groups == 1


def conv2d(
    x: Array, w: Array, window: Window, groups: int = 1
) -> tuple[Array, Callable[[Array, bool], tuple[Array | None, Array]]]:
    """Equals `conv2d_by_taps` to the order of its sums.

    x  (N, C, 1, 1)    w  (K, C, 1, 1)    y  (N, K, 1, 1)
    """
    (n, c), k = x.shape[:2], w.shape[0]
    xs, ws = cuda.contiguous(x).reshape(1, n, c), cuda.contiguous(w).reshape(1, k, c)
    y = cuda.empty(x, (1, n, k))
    multiply(xs, ws, y, b_transposed=True)  # (1)

    def backward(dy: Array, input_grad: bool) -> tuple[Array | None, Array]:
        dys, dw = cuda.contiguous(dy).reshape(1, n, k), cuda.empty(x, (1, k, c))
        multiply(dys, xs, dw, a_transposed=True)
        dx = cuda.empty(x, (1, n, c)) if input_grad else None
        if dx is not None:
            multiply(dys, ws, dx)
        return None if dx is None else dx.reshape(x.shape), dw.reshape(w.shape)

    return y.reshape(n, k, 1, 1), backward
