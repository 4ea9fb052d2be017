"""ReLU: the activation of the public ARM code."""

from __future__ import annotations

from armlab.arrays import Array, array_namespace
from armlab.hand import kernels
from armlab.hand.backward import Backward


def relu(x: Array) -> tuple[Array, Backward]:
    """Keep what is positive.  x, y  any shape

    y = max(x, 0)                                                   (1)
    """
    xp = array_namespace(x)
    if kernel := kernels.choose("relu", x):
        return kernel(x)
    y = xp.maximum(x, 0.0)  # (1)

    def backward(dy: Array) -> Array:
        # (1) dL/dx = dy where x > 0, else 0; at the kink x = 0 the convention is 0. y says it as
        #     well as x, and the next layer keeps it anyway.
        #     Not dy times a mask: an infinite dy times 0 would be NaN.
        return xp.where(y != 0, dy, 0.0)  # (2)

    return y, backward
