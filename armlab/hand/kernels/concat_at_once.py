"""Concatenation on CuPy in one launch, and its way back in one, see `cuda/concat.cu`.

Of channels, and of the strips of rows and of columns, which lie in memory like two rows of numbers
for each channel. The specification copies one part after the other, both ways.
"""

from __future__ import annotations

from math import prod

from armlab.arrays import Array
from armlab.hand.kernels import cuda, planes
from armlab.hand.kernels.kernel import Backward

Shape = tuple[int, ...]


def concat_channels(x1: Array, x2: Array) -> tuple[Array, Backward]:
    """Equals `hand.concat_channels`."""
    shape1, shape2 = x1.shape, x2.shape
    n, c, *size = shape1

    def backward(dy: Array) -> tuple[Array, Array]:
        return _apart(dy, n, shape1, shape2)  # (2, 3)

    return _concat(x1, x2, n, (n, c + shape2[1], *size)), backward  # (1)


def join_strips(rows: Array, columns: Array) -> tuple[Array, Backward]:
    """Equals `hand.join_strips`."""
    (n, c, h, _), w = rows.shape, columns.shape[3]
    shapes = rows.shape, columns.shape

    def backward(dy: Array) -> tuple[Array, Array]:
        return _apart(dy, n * c, *shapes)

    return _concat(rows, columns, n * c, (n, c, h + w, 1)), backward  # (1)


def split_strips(x: Array, height: int) -> tuple[tuple[Array, Array], Backward]:
    """Equals `hand.split_strips`."""
    n, c, both, _ = shape = x.shape

    def backward(dy: tuple[Array, Array]) -> Array:
        return _concat(*dy, n * c, shape)

    return _apart(x, n * c, (n, c, height, 1), (n, c, 1, both - height)), backward  # (2)


def _concat(x1: Array, x2: Array, images: int, shape: Shape) -> Array:
    """Of each image what x1 has, and behind it what x2 has."""
    y, sizes = cuda.empty(x1, shape), _sizes(images, x1.shape, x2.shape)
    given = cuda.contiguous(x1), cuda.contiguous(x2), y
    _launch("concat", y, images, sizes, given)
    return y


def _apart(y: Array, images: int, shape1: Shape, shape2: Shape) -> tuple[Array, Array]:
    """The way back."""
    x1, x2 = cuda.empty(y, shape1), cuda.empty(y, shape2)
    _launch("apart", y, images, _sizes(images, shape1, shape2), (cuda.contiguous(y), x1, x2))
    return x1, x2


def _launch(
    kernel: str, like: Array, images: int, sizes: list[int], arrays: tuple[Array, ...]
) -> None:
    extent = planes.of_thread(like), images, sum(sizes)
    planes.launch("concat", kernel, like, *extent, *arrays, images, *sizes)


def _sizes(images: int, *shapes: Shape) -> list[int]:
    """How many numbers of each shape an image has; of no image it does not matter."""
    return [prod(shape) // max(images, 1) for shape in shapes]
