"""Maxima on CuPy, along the channels or over all positions, with their places in the same read.

The specification looks for the winner again in its backward, and compares every element with it.
`cuda/largest.cu` keeps one place for each maximum, and not x. Launches: 1 forward, 1 backward.
"""

from __future__ import annotations

from armlab.arrays import Array
from armlab.hand.kernels import cuda, tiles
from armlab.hand.kernels.kernel import Backward
from armlab.hand.kernels.tiles import Along


def global_max_pool(x: Array) -> tuple[Array, Backward]:
    """Equals `hand.global_max_pool`."""
    return _largest(x, 2, 4)


def channel_max(x: Array) -> tuple[Array, Backward]:
    """Equals `hand.channel_max`."""
    return _largest(x, 1, 2)


def _largest(x: Array, first: int, stop: int) -> tuple[Array, Backward]:
    """Over the axes from this one to before that one."""
    shape = x.shape
    along = Along.axes(shape, first, stop)
    y = cuda.empty(x, (*shape[:first], *(1 for _ in range(first, stop)), *shape[stop:]))
    winner = cuda.empty(x, y.shape, "int64")
    terms = cuda.contiguous(x), y, winner
    tiles.launch("largest", "largest", x, along, *terms, along.numbers())  # (1)

    def backward(dy: Array) -> Array:
        dx = cuda.empty(dy, shape)
        given = cuda.contiguous(dy), winner, dx
        tiles.launch_shared("largest", "only_the_first", dy, along, *given, along.numbers())  # (2)
        return dx

    return y, backward
