"""The first of the largest channels without argmax, which takes ten times as long over axis 1.

Each channel that holds the maximum has a rank, which falls from C for the first to 1 for the last;
a NaN holds it too. The first is the one of the highest rank: two passes of whole planes, where
argmax goes from plane to plane at each position.
"""

from __future__ import annotations

import numpy as np

from armlab.hand.kernels.keep_where import keep_where
from armlab.hand.kernels.kernel import Backward
from armlab.hand.kernels.unbuffered import unbuffered


def channel_max(x: np.ndarray) -> tuple[np.ndarray, Backward]:
    """Equals `hand.channel_max`."""
    y = np.max(x, axis=1, keepdims=True)  # (1)

    def backward(dy: np.ndarray) -> np.ndarray:
        c = x.shape[1]
        rank = np.arange(c, 0, -1, dtype=np.int32).reshape(1, c, 1, 1)
        with unbuffered():
            ranks = ((x == y) | np.isnan(x)).astype(np.int32)
            ranks *= rank
            won = ranks == np.max(ranks, axis=1, keepdims=True)
        return keep_where(won, dy)  # (2)

    return y, backward
