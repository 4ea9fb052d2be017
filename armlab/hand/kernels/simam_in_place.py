"""SimAM's logits in the memory of two arrays, with sums as dot products.

As in `batch_norm_by_channel`: a large array that is made anew costs as much as two passes over one
that is there, and for a dot product no product is stored.
"""

from __future__ import annotations

import numpy as np

from armlab.hand.channels import position_dot, position_sum
from armlab.hand.kernels.kernel import Backward
from armlab.hand.kernels.unbuffered import unbuffered


def simam_logits(x: np.ndarray, lambda_: float) -> tuple[np.ndarray, Backward]:
    """Equals `hand.simam_logits` to the order of its sums."""
    m = x.shape[2] * x.shape[3]
    with unbuffered():
        d = x - position_sum(x) / m  # (1)
        v = position_dot(d, d) / (m - 1)  # (2)
        q = 1.0 / (4.0 * (v + lambda_))  # (3)
        e = d * d
        e *= q  # (4)
    a = e + 0.5  # (5)

    def backward(da: np.ndarray) -> np.ndarray:
        with unbuffered():
            dd = da - position_dot(da, e) * (4.0 / (m - 1))
            dd *= d
            dd *= 2.0 * q  # (6)
            dd -= position_sum(dd) / m  # (7)
        return dd

    return a, backward
