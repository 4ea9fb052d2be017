"""Convolution on CuPy of maps with one pixel, with a bias: a linear layer by kernels of its own.

cuBLAS knows no bias: with it a layer is a product and a sum, and back two products and a sum. In
`cuda/linear.cu` the bias is part of each. Launches: 1 forward, 2 backward.
"""

from __future__ import annotations

from armlab.arrays import Array
from armlab.hand.kernels import conv2d_linear, cuda, tiles
from armlab.hand.kernels.kernel import Backward
from armlab.hand.kernels.tiles import Along
from armlab.hand.window import Window


def fits(x: Array, w: Array, b: Array, window: Window, groups: int) -> bool:
    """Where `conv2d_linear` fits."""
    return conv2d_linear.fits(x, w, window, groups)


def conv2d_with_bias(
    x: Array, w: Array, b: Array, window: Window, groups: int = 1
) -> tuple[Array, Backward]:
    """Equals `hand.conv2d` to the order of its sums.

    x  (N, C, 1, 1)    w  (K, C, 1, 1)    b  (K,)    y  (N, K, 1, 1)
    """
    x, w = cuda.contiguous(x), cuda.contiguous(w)
    (n, c), k = x.shape[:2], w.shape[0]
    y, along = cuda.empty(x, (n, k, 1, 1)), Along(n * k, c, 1)
    given = x, w, cuda.contiguous(b), y
    tiles.launch("linear", "apply", x, along, *given, along.numbers(), k)  # (1)

    def backward(dy: Array, input_grad: bool = True) -> tuple[Array | None, Array, Array]:
        dy = cuda.contiguous(dy)
        dw, db = cuda.empty(w, w.shape), cuda.empty(w, (k,))
        cuda.launch("linear", "weigh", x, dw.size + k, dy, x, dw, db, n, k, c)  # (3)
        dx = cuda.empty(x, x.shape) if input_grad else None
        if dx is not None:
            back = Along(n, k, c)
            tiles.launch("linear", "apply_back", x, back, dy, w, dx, back.numbers())  # (2)
        return dx, dw, db

    return y, backward
