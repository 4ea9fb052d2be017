"""Concatenation on CuPy in one launch, and its backward in one, see `cuda/concat.cu`.

The specification copies one part after the other, both ways.
"""

from __future__ import annotations

from math import prod

from armlab.arrays import Array
from armlab.hand.kernels import cuda
from armlab.hand.kernels.kernel import Backward


def concat_channels(x1: Array, x2: Array) -> tuple[Array, Backward]:
    """Equals `hand.concat_channels`."""
    shape1, shape2 = x1.shape, x2.shape
    n, c, *size = shape1
    numbers = n, prod(shape1[1:]), prod(shape2[1:])
    y = cuda.empty(x1, (n, c + shape2[1], *size))
    parts = cuda.contiguous(x1), cuda.contiguous(x2)
    cuda.launch("concat", "concat", y, y.size, *parts, y, *numbers)  # (1)

    def backward(dy: Array) -> tuple[Array, Array]:
        dx1, dx2 = cuda.empty(dy, shape1), cuda.empty(dy, shape2)
        cuda.launch("concat", "apart", dy, dy.size, cuda.contiguous(dy), dx1, dx2, *numbers)
        return dx1, dx2  # (2, 3)

    return y, backward
