"""The mean over channels as a product with a row of shares 1 / C: matrix routines add faster."""

from __future__ import annotations

import numpy as np

from armlab.hand.kernels.kernel import Backward


def channel_mean(x: np.ndarray) -> tuple[np.ndarray, Backward]:
    """Equals `hand.channel_mean` to the order of its sums, and to the rounding of 1 / C."""
    n, c, h, w = shape = x.shape
    share = np.full((1, c), 1.0 / c, x.dtype)
    y = (share @ x.reshape(n, c, h * w)).reshape(n, 1, h, w)  # (1)

    def backward(dy: np.ndarray) -> np.ndarray:
        return np.broadcast_to(dy / c, shape)  # (2)

    return y, backward
