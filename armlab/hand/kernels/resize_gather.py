"""Resizing on CuPy: no matrices, each pixel gathers from the few that it meets.

`cuda/resize.cu` has the weights of the matrices from integers, once for the same pixel of several
planes. Launches: 1 forward, 1 backward. A NaN or an infinity stays with the pixels around it, where
a product with a matrix would carry it along its row and column.
"""

from __future__ import annotations

from math import prod
from typing import Any

from armlab.arrays import Array
from armlab.hand.kernels import cuda, planes
from armlab.hand.kernels.kernel import Backward
from armlab.hand.window import Pair


def resize_bilinear(x: Array, size: Pair, align_corners: bool = False) -> tuple[Array, Backward]:
    """Equals `hand.resize_bilinear` to the rounding of its weights."""
    return _resize("bilinear", x, size, align_corners)


def resize_nearest(x: Array, size: Pair) -> tuple[Array, Backward]:
    """Equals `hand.resize_nearest`; dx to the order of its sums."""
    return _resize("nearest", x, size)


def _resize(kernel: str, x: Array, size: Pair, aligned: bool = False) -> tuple[Array, Backward]:
    (n, c, h, w), each = x.shape, planes.of_thread(x)
    sizes = {"planes": n * c, "h": h, "w": w, "oh": size[0], "ow": size[1], "aligned": aligned}
    numbers: Any = cuda.structure(**sizes)
    y = cuda.empty(x, (n, c, *size))
    given = cuda.contiguous(x), y, numbers
    planes.launch("resize", kernel, x, each, n * c, prod(size), *given)

    def backward(dy: Array) -> Array:
        dx = cuda.empty(dy, (n, c, h, w))
        given = cuda.contiguous(dy), dx, numbers
        planes.launch("resize", f"{kernel}_back", dy, each, n * c, h * w, *given)
        return dx

    return y, backward
