"""A sum in which one map is repeated: over positions without a copy, see `unbuffered`."""

from __future__ import annotations

import numpy as np

from armlab.hand.kernels.unbuffered import unbuffered


def add(x1: np.ndarray, x2: np.ndarray) -> np.ndarray:
    """x1 + x2."""
    with unbuffered():
        return x1 + x2
