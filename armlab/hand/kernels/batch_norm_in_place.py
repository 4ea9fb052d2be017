"""Batch normalisation in the memory of one array, with sums as matrix products.

x - mean becomes y, and in the backward dx, step by step over the same memory: a large array that is
made anew costs as much as two passes over one that is there. The sums of squares and of dy x̂ are
dot products, for which no product is stored.
"""

from __future__ import annotations

import numpy as np

from armlab.hand.channels import channel_dot, channel_sum, per_channel
from armlab.hand.kernels.kernel import Backward
from armlab.hand.kernels.unbuffered import unbuffered


def batch_norm(
    x: np.ndarray, w: np.ndarray, b: np.ndarray, eps: float
) -> tuple[tuple[np.ndarray, np.ndarray, np.ndarray], Backward]:
    """Equals `hand.batch_norm` to the order of its sums and products."""
    m = max(x.shape[0] * x.shape[2] * x.shape[3], 1)
    mean = channel_sum(x) / m  # (1)
    with unbuffered():
        y = x - per_channel(mean)
        var = channel_dot(y, y) / m  # (2)
        r = 1.0 / np.sqrt(var + eps)  # (3)
        y *= per_channel(w * r)  # (4)
        y += per_channel(b)

    def backward(dy: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        with unbuffered():
            dx = x - per_channel(mean)
            db = channel_sum(dy)
            dw = channel_dot(dy, dx) * r
            dx *= per_channel(-(r * dw / m))  # (5) from its last term to its first
            dx += dy
            dx -= per_channel(db / m)
            dx *= per_channel(w * r)
        return dx, dw, db

    return (y, mean, var), backward


def batch_norm_eval(
    x: np.ndarray, w: np.ndarray, b: np.ndarray, mean: np.ndarray, var: np.ndarray, eps: float
) -> tuple[np.ndarray, Backward]:
    """Equals `hand.batch_norm_eval` to the order of its sums and products."""
    r = 1.0 / np.sqrt(var + eps)  # (1)
    with unbuffered():
        y = x - per_channel(mean)
        y *= per_channel(w * r)  # (2)
        y += per_channel(b)

    def backward(dy: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        with unbuffered():
            dw = channel_dot(dy, x - per_channel(mean)) * r  # (4), first: dx takes its memory
            dx = dy * per_channel(w * r)  # (3)
        return dx, dw, channel_sum(dy)  # (5)

    return y, backward
