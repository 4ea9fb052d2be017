"""Hard swish: the activation of coordinate attention, a swish made of straight lines."""

from __future__ import annotations

from armlab.arrays import Array, array_namespace, clip, in_place, keep_where
from armlab.hand.backward import Backward


def hard_swish(x: Array) -> tuple[Array, Backward]:
    """Shut below -3, open above 3, a parabola between.  x, y  any shape

        y = x h,   h = min(max(x + 3, 0), 6) / 6                        (1)

    Divided by 6 before the product, which would overflow for a large x.
    """
    xp = array_namespace(x)
    y = in_place(clip, x + 3.0, 0.0, 6.0)
    y /= 6.0
    y *= x  # (1)

    def backward(dy: Array) -> Array:
        # (1) y is 0, then x (x + 3) / 6, then x: the slopes are 0, x / 3 + 1/2 and 1. With u as
        #     x / 3 kept within -1 … 1, all three are u + 1/2 - trunc(u) / 2: at the kinks the
        #     convention is that of the outer side, and trunc(u) is -1 or 1 from there on.
        u = clip(x, -3.0, 3.0)
        u /= 3.0
        dx = xp.trunc(u)
        dx *= -0.5
        dx += u
        dx += 0.5
        dx *= dy
        return keep_where(u != -1.0, dx)  # an infinite dy times 0 would be NaN

    return y, backward
