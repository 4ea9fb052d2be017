"""Sigmoid gating with one number per channel as a dot product.

The gradient of a gate that is repeated over positions is Σ dy x: a dot product, for which dy x is
not stored. And the gate is repeated without a copy, see `unbuffered`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from armlab.arrays import unbroadcast
from armlab.hand.channels import position_dot
from armlab.hand.kernels.kernel import Backward
from armlab.hand.kernels.unbuffered import unbuffered


def fits(x: np.ndarray, a: np.ndarray, sigmoid: object) -> bool:
    """Not for a strip: repeated along rows or columns alone, it is faster with a copy."""
    return (a.shape[2] == 1) == (a.shape[3] == 1)


def sigmoid_gate(
    x: np.ndarray, a: np.ndarray, sigmoid: Callable[[np.ndarray], tuple[np.ndarray, Backward]]
) -> tuple[np.ndarray, Backward]:
    """Equals `hand.sigmoid_gate` to the order of its sums.

    sigmoid  that of `armlab.hand`, which whoever watches the gate wants to see called
    """
    s, sigmoid_back = sigmoid(a)  # (1)
    with unbuffered():
        y = x * s  # (2)

    def backward(dy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        with unbuffered():
            dx = dy * s  # (3)
        one_per_channel = s.shape[2:] == (1, 1)
        ds = unbroadcast(position_dot(dy, x) if one_per_channel else dy * x, s.shape)  # (4)
        return dx, sigmoid_back(ds)

    return y, backward
