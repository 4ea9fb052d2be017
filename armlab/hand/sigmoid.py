"""Sigmoid: turns a logit of any size into a gate between 0 and 1."""

from __future__ import annotations

from armlab.arrays import Array, array_namespace
from armlab.hand import kernels
from armlab.hand.backward import Backward


def sigmoid(a: Array) -> tuple[Array, Backward]:
    """The logistic function.  a, s  any shape

        s = 1 / (1 + exp(-a)) = e / (1 + e),   e = exp(a)               (1)

    From a = 38 on s is 1, in float64 as well; in float32 exp overflows from 89 on. So a is
    stopped at 40.
    """
    xp = array_namespace(a)
    if kernel := kernels.choose("sigmoid", a):
        return kernel(a)
    e = xp.exp(xp.minimum(a, 40.0))
    s = e / (1.0 + e)  # (1)

    def backward(ds: Array) -> Array:
        # (1) ds/da = s (1 - s): at most 1/4, and 0 at both ends.
        return ds * s * (1.0 - s)  # (2)

    return s, backward
