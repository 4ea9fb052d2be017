"""Sigmoid: turns a logit of any size into a gate between 0 and 1."""

from __future__ import annotations

from armlab.arrays import Array, array_namespace
from armlab.hand.backward import Backward


def sigmoid(a: Array) -> tuple[Array, Backward]:
    """The logistic function.  a, s  any shape

    s = 1 / (1 + exp(-a))                                           (1)
    """
    xp = array_namespace(a)
    e = xp.exp(-xp.abs(a))  # at most 1: exp(-a) itself overflows where a is very negative
    s = xp.where(a >= 0, 1.0, e) / (1.0 + e)  # (1), for either sign of a

    def backward(ds: Array) -> Array:
        return ds * s * (1.0 - s)  # (1) ds/da = s (1 - s): at most 1/4, and 0 at both ends

    return s, backward
