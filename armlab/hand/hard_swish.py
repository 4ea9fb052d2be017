"""Hard swish: the activation of coordinate attention, a swish made of straight lines."""

from __future__ import annotations

from armlab.arrays import Array, array_namespace
from armlab.hand import kernels
from armlab.hand.backward import Backward


def hard_swish(x: Array) -> tuple[Array, Backward]:
    """Shut below -3, open above 3, a parabola between.  x, y  any shape

        h = min(max(x + 3, 0), 6) / 6                                   (1)
        y = x h                                                         (2)

    Divided by 6 before the product, which would overflow for a large x.
    """
    xp = array_namespace(x)
    if kernel := kernels.choose("hard_swish", x):
        return kernel(x)
    h = xp.minimum(xp.maximum(x + 3.0, 0.0), 6.0) / 6.0  # (1)
    y = x * h  # (2)

    def backward(dy: Array) -> Array:
        # (2) y is 0, then x (x + 3) / 6, then x: the slopes are 0, x / 3 + 1/2 and 1. At the
        #     kinks the convention is that of the outer side. An infinite dy times the slope 0
        #     would be NaN, so that dx is chosen and not multiplied where x <= -3.
        slope = xp.where(x >= 3.0, 1.0, xp.maximum(x, -3.0) / 3.0 + 0.5)  # (3)
        return xp.where(x <= -3.0, 0.0, dy * slope)  # (4)

    return y, backward
