"""ReLU without a decision for each element: a clip, and bits kept or not.

With a number, NumPy's maximum takes four times as long as its clip; and its where takes ten times
as long as `keep_where`.
"""

from __future__ import annotations

import numpy as np

from armlab.hand.kernels.keep_where import keep_where
from armlab.hand.kernels.kernel import Backward


def relu(x: np.ndarray) -> tuple[np.ndarray, Backward]:
    """Equals `hand.relu`."""
    y = np.clip(x, 0.0, np.inf)  # (1)

    def backward(dy: np.ndarray) -> np.ndarray:
        return keep_where(y != 0, dy)  # (2)

    return y, backward
