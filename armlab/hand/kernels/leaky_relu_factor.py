"""LeakyReLU's backward as one product: dy times 1 or the slope.

The factor is made from the sign of y without a decision for each element, which NumPy's where
would take: as a number the sign is 1 or 0, and a clip lifts 0 to the slope.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from armlab.hand.kernels.kernel import Backward
from armlab.hand.kernels.passes import elementwise

SLOPE = 0.01  # unless told otherwise


def leaky_relu(x: np.ndarray, slope: float) -> tuple[np.ndarray, Backward]:
    """Equals `hand.leaky_relu`."""
    y = elementwise(partial(forward, slope=slope), x, passes=2)
    return y, lambda dy: elementwise(partial(backward, slope=slope), y, dy, passes=4)


def forward(x: np.ndarray, y: np.ndarray, slope: float = SLOPE) -> None:
    np.multiply(slope, x, out=y)
    np.maximum(y, x, out=y)  # (1)


def backward(y: np.ndarray, dy: np.ndarray, dx: np.ndarray, slope: float = SLOPE) -> None:
    dx[...] = y > 0
    np.clip(dx, slope, 1.0, out=dx)
    dx *= dy  # (2)
