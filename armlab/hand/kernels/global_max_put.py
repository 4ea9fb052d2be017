"""Global max pooling, whose backward writes one number per channel into zeros.

The specification compares every position with the winner: the array API standard has nothing
that writes to places given by an index array, NumPy has.
"""

from __future__ import annotations

import numpy as np

from armlab.hand.kernels.kernel import Backward


def global_max_pool(x: np.ndarray) -> tuple[np.ndarray, Backward]:
    """Equals `hand.global_max_pool`."""
    n, c, h, w = shape = x.shape
    z = np.max(x.reshape(n, c, h * w), axis=2).reshape(n, c, 1, 1)  # (1)

    def backward(dz: np.ndarray) -> np.ndarray:
        winner = np.argmax(x.reshape(n, c, h * w), axis=2, keepdims=True)  # the first of equals
        dx = np.zeros((n, c, h * w), x.dtype)
        np.put_along_axis(dx, winner, dz.reshape(n, c, 1), axis=2)  # (2)
        return dx.reshape(shape)

    return z, backward
