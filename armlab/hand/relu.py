"""ReLU: the activation of the public ARM code."""

from __future__ import annotations

from armlab.arrays import Array, array_namespace
from armlab.hand.backward import Backward


def relu(x: Array) -> tuple[Array, Backward]:
    """Keep what is positive.  x, y  any shape

    y = max(x, 0)                                                   (1)
    """
    xp = array_namespace(x)
    y = xp.maximum(x, 0.0)

    def backward(dy: Array) -> Array:
        # (1) dL/dx = dy where x > 0, else 0; at the kink x = 0 the convention is 0.
        #     Not dy times a mask: an infinite dy times 0 would be NaN.
        return xp.where(x <= 0, 0.0, dy)

    return y, backward
