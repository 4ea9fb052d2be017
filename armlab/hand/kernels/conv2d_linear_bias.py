"""Convolution on CuPy with a 1×1 kernel and a bias, where there is little to multiply.

cuBLAS knows no bias: with it a layer is a product and a sum, and back two products and two sums. In
`cuda/linear.cu` the bias is part of each: behind a pool, where maps have one pixel, and in a head,
where few classes come of each pixel. Launches: 1 forward, 2 backward.
"""

from __future__ import annotations

from armlab.arrays import Array
from armlab.hand.kernels import conv2d_linear, cuda, tiles
from armlab.hand.kernels.kernel import Backward
from armlab.hand.kernels.tiles import Along
from armlab.hand.window import Window

MOST = 1 << 24  # bytes: a launch takes some 5 µs, in which a card reads as much from its cache


def fits(x: Array, w: Array, b: Array, window: Window, groups: int) -> bool:
    """One pixel, or less to read again, x for each output, than the launches spared are worth."""
    single = window == Window.of((1, 1)) and groups == 1
    again = w.shape[0] * x.size * x.itemsize
    return conv2d_linear.fits(x, w, window, groups) or (single and again <= MOST)


def conv2d_with_bias(
    x: Array, w: Array, b: Array, window: Window, groups: int = 1
) -> tuple[Array, Backward]:
    """Equals `hand.conv2d` to the order of its sums.

    x  (N, C, H, W)    w  (K, C, 1, 1)    b  (K,)    y  (N, K, H, W)
    """
    x, w = cuda.contiguous(x), cuda.contiguous(w)
    (n, c, *size), k = x.shape, w.shape[0]
    p = size[0] * size[1]
    y, along = cuda.empty(x, (n, k, *size)), Along(n * k, c, p)
    given = x, w, cuda.contiguous(b), y
    tiles.launch("linear", "apply", x, along, *given, along.numbers(), k)  # (1)

    def backward(dy: Array, input_grad: bool = True) -> tuple[Array | None, Array, Array]:
        dy = cuda.contiguous(dy)
        dw, db = cuda.empty(w, w.shape), cuda.empty(w, (k,))
        results = k * (c + 1)  # neighbours in a block are terms, or, of one pixel, results
        of_weights = Along(results, n * p, 1) if p > 1 else Along(1, n, results)
        sizes = of_weights.numbers(), k, c, p
        tiles.launch("linear", "weigh", x, of_weights, dy, x, dw, db, *sizes)  # (3)
        dx = cuda.empty(x, x.shape) if input_grad else None
        if dx is not None:
            back = Along(n, k, c * p)
            tiles.launch("linear", "apply_back", x, back, dy, w, dx, back.numbers(), c, p)  # (2)
        return dx, dw, db

    return y, backward
