"""Hard swish: the activation of coordinate attention, a swish made of straight lines."""

from __future__ import annotations

from armlab.arrays import Array, array_namespace
from armlab.hand.backward import Backward


def hard_swish(x: Array) -> tuple[Array, Backward]:
    """Shut below -3, open above 3, a parabola between.  x, y  any shape

        y = x h,   h = min(max(x + 3, 0), 6) / 6                        (1)

    Divided by 6 before the product, which would overflow for a large x.
    """
    xp = array_namespace(x)
    y = x * (xp.minimum(xp.maximum(x + 3.0, 0.0), 6.0) / 6.0)

    def backward(dy: Array) -> Array:
        # (1) y is 0, then x (x + 3) / 6, then x: the slopes are 0, (2 x + 3) / 6 and 1. At the
        #     kinks the convention is that of the outer side: 0 at -3 and 1 at 3.
        return xp.where(x <= -3.0, 0.0, dy * xp.where(x >= 3.0, 1.0, (2.0 * x + 3.0) / 6.0))

    return y, backward
