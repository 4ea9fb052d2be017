"""ReLU without a decision for each element: a clip, and bits kept or not.

With a number, NumPy's maximum takes four times as long as its clip; and its where takes ten times
as long as `keep_where`.
"""

from __future__ import annotations

import numpy as np

from armlab.hand.kernels.keep_where import keep_where
from armlab.hand.kernels.kernel import Backward
from armlab.hand.kernels.passes import elementwise


def relu(x: np.ndarray) -> tuple[np.ndarray, Backward]:
    """Equals `hand.relu`."""
    y = elementwise(forward, x, passes=1)
    return y, lambda dy: elementwise(backward, y, dy, passes=3)


def forward(x: np.ndarray, y: np.ndarray) -> None:
    np.clip(x, 0.0, np.inf, out=y)  # (1)


def backward(y: np.ndarray, dy: np.ndarray, dx: np.ndarray) -> None:
    keep_where(y != 0, dy, out=dx)  # (2)
