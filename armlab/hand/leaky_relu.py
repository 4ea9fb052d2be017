"""LeakyReLU: the activation of the article's ARM."""

from __future__ import annotations

from armlab.arrays import Array, array_namespace, clip, in_place
from armlab.hand.backward import Backward


def leaky_relu(x: Array, *, slope: float = 0.01) -> tuple[Array, Backward]:
    """Keep what is positive, and let a small share of the rest through.  x, y  any shape

        y = max(x, slope x),   0 < slope < 1                            (1)

    Raises ValueError for another slope: 0 is `relu`, and from 1 on (1) would not be a leak.
    """
    if not 0 < slope < 1:
        raise ValueError(f"leaky_relu expected 0 < slope < 1, got {slope}: use relu for 0")
    xp, slope = array_namespace(x), float(slope)  # a float64 of NumPy would make float32 wider
    y = in_place(xp.maximum, slope * x, x)  # (1)

    def backward(dy: Array) -> Array:
        # (1) dL/dx = dy where x > 0, else slope dy; at the kink x = 0 the convention is slope.
        #     y has the sign of x, and the next layer keeps it anyway.
        dx = in_place(clip, xp.astype(y > 0, y.dtype), slope)
        dx *= dy
        return dx

    return y, backward
