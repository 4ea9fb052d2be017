"""SimAM's logits on CuPy, a channel at a time: its mean, its variance and its logits in one kernel.

And the backward with its two sums in another, see `cuda/simam.cu`: x is kept, and two numbers for
each channel. Launches: 1 forward, 1 backward.
"""

from __future__ import annotations

from armlab.arrays import Array
from armlab.hand.kernels import cuda, tiles
from armlab.hand.kernels.kernel import Backward
from armlab.hand.kernels.tiles import Along


def simam_logits(x: Array, lambda_: float) -> tuple[Array, Backward]:
    """Equals `hand.simam_logits` to the order of its sums."""
    x, along = cuda.contiguous(x), Along.axes(x.shape, 2, 4)
    a, (mean, q) = cuda.empty(x, x.shape), (cuda.empty(x, x.shape[:2]) for _ in range(2))
    numbers = along.numbers(), x.dtype.type(lambda_)
    tiles.launch("simam", "logits", x, along, x, a, mean, q, *numbers)  # (1) to (5)

    def backward(da: Array) -> Array:
        dx = cuda.empty(x, x.shape)
        given = x, mean, q, cuda.contiguous(da), dx
        tiles.launch("simam", "logits_back", x, along, *given, along.numbers())  # (6, 7)
        return dx

    return a, backward
