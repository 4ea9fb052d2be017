"""LeakyReLU: the activation of the article's ARM."""

from __future__ import annotations

from armlab.arrays import Array, array_namespace
from armlab.hand import kernels
from armlab.hand.backward import Backward
from armlab.hand.expect import is_number


def leaky_relu(x: Array, *, slope: float = 0.01) -> tuple[Array, Backward]:
    """Keep what is positive, and let a small share of the rest through.  x, y  any shape

        y = max(x, slope x),   0 < slope < 1                            (1)

    Raises ValueError for another slope: 0 is `relu`, and from 1 on (1) would not be a leak.
    """
    if not is_number(slope) or not 0 < slope < 1:
        raise ValueError(f"leaky_relu expected 0 < slope < 1, got {slope!r}: use relu for 0")
    xp, slope = array_namespace(x), float(slope)  # a float64 of NumPy would make float32 wider
    if kernel := kernels.choose("leaky_relu", x, slope):
        return kernel(x, slope)
    y = xp.maximum(x, slope * x)  # (1)

    def backward(dy: Array) -> Array:
        # (1) dL/dx = dy where x > 0, else slope dy; at the kink x = 0 the convention is slope.
        #     y has the sign of x, and the next layer keeps it anyway.
        return xp.where(y > 0, dy, slope * dy)  # (2)

    return y, backward
