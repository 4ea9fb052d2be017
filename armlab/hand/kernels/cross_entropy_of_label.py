"""Cross-entropy that takes one logarithm per pixel, not one per class.

Only the log-probability of the label counts, and q is one number per pixel but for its class. So p
and q of the specification, (N, K, H, W), are never formed: what is kept is e = exp(a - max) and
the one-hot mask, and p Σ_k q_k is e times one number per pixel.
"""

from __future__ import annotations

import numpy as np

from armlab.hand.kernels.keep_where import keep_where
from armlab.hand.kernels.kernel import Backward
from armlab.hand.kernels.unbuffered import unbuffered


def cross_entropy(
    a: np.ndarray, labels: np.ndarray, weight: np.ndarray | None, ignore_index: int
) -> tuple[np.ndarray, Backward]:
    """Equals `hand.cross_entropy` to the order of its sums and products."""
    labels, k = labels[:, None], a.shape[1]
    counted = labels != ignore_index
    with unbuffered():
        hot = labels.astype(np.int32) == np.arange(k, dtype=np.int32).reshape(1, k, 1, 1)
        hot &= counted
    if weight is None:
        q = counted.astype(a.dtype)  # (2), summed over the classes: (N, 1, H, W)
    else:
        q = np.sum(keep_where(hot, weight.reshape(1, k, 1, 1)), axis=1, keepdims=True)
    total = np.sum(q)

    with unbuffered():
        e = a - np.max(a, axis=1, keepdims=True)
    of_label = np.sum(keep_where(hot, e), axis=1, keepdims=True)
    np.exp(e, out=e)
    z = np.sum(e, axis=1, keepdims=True)
    log_p = of_label - np.log(z)  # (1)
    loss = -np.sum(keep_where(q != 0, log_p) * q) / total  # (3)
    lost = (q == 0) & np.isnan(z)  # pixels that do not count, and whose logits are no numbers
    if lost.any():
        e, z = np.where(lost, 0.0, e), np.where(lost, 1.0, z)

    def backward(dloss: np.ndarray | float) -> np.ndarray:
        share = q * (dloss / total)
        with unbuffered():
            da = e * (share / z)
            da -= keep_where(hot, share)  # (4)
        return da

    return loss, backward
