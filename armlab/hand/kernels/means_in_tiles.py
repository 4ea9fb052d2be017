"""Means and sums on CuPy, along one axis or over all positions, by one kernel.

The specification needs a vector of ones and a product, or a sum, and then a quotient. Here the
quotient is in the kernel, `cuda/means.cu`. Launches: 1 forward; 1 backward, the quotient of the
specification, whose result is repeated without a copy: only the few numbers of dy are divided. It
could go into the sum that mostly follows, with the gradient that x has from elsewhere, if that sum
were told of dy in place of dx. Then what a backward returns would no longer be a gradient.
"""

from __future__ import annotations

from armlab.arrays import Array, array_namespace
from armlab.hand.kernels import cuda, tiles
from armlab.hand.kernels.kernel import Backward
from armlab.hand.kernels.tiles import Along


def global_avg_pool(x: Array) -> tuple[Array, Backward]:
    """Equals `hand.global_avg_pool` to the order of its sums."""
    return _mean(x, 2, 4)


def channel_mean(x: Array) -> tuple[Array, Backward]:
    """Equals `hand.channel_mean` to the order of its sums."""
    return _mean(x, 1, 2)


def strip_mean(x: Array, axis: int) -> tuple[Array, Backward]:
    """Equals `hand.strip_mean` to the order of its sums."""
    return _mean(x, axis, axis + 1)


def total(x: Array, along: Along) -> Array:
    """One number for each result, a sum and not a mean."""
    return _over(x, along, 1, (along.before * along.after,))


def _mean(x: Array, first: int, stop: int) -> tuple[Array, Backward]:
    """Over the axes from this one to before that one."""
    xp, shape = array_namespace(x), x.shape
    along = Along.axes(shape, first, stop)
    pooled = (*shape[:first], *(1 for _ in range(first, stop)), *shape[stop:])
    y = _over(x, along, along.count, pooled)  # (1)

    def backward(dy: Array) -> Array:
        return xp.broadcast_to(dy / along.count, shape)  # (2)

    return y, backward


def _over(x: Array, along: Along, divisor: int, shape: tuple[int, ...]) -> Array:
    y = cuda.empty(x, shape)
    numbers = along.numbers(), x.dtype.type(divisor)
    tiles.launch("means", "mean", x, along, cuda.contiguous(x), y, *numbers)
    return y
