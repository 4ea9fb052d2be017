"""Softmax cross-entropy over pixels: the loss that segmentation is trained with."""

from __future__ import annotations

from array_api_compat import device as device_of
from array_api_compat import is_numpy_array

from armlab.arrays import (
    Array,
    array_namespace,
    in_place,
    keep_where,
    place_of,
    unbuffered,
)
from armlab.hand.backward import Backward
from armlab.hand.expect import expect_features, expect_labels, expect_vectors


def cross_entropy(
    a: Array, labels: Array, *, weight: Array | None = None, ignore_index: int = 255
) -> tuple[Array, Backward]:
    """Mean negative log-probability of each pixel's class.

    a       (N, K, H, W)  logits of K classes
    labels  (N, H, W)     integers 0 ... K - 1, or ignore_index where a pixel does not count
    weight  (K,) or None  how much a pixel of each class counts; None is 1 for all
    loss    ()

        p    = exp(a) / Σ_k exp(a_k)                                                      (1)
        q_k  = weight_k where k is the label, else 0                                      (2)
        loss = - Σ q log p / Σ q,   over all pixels and classes                           (3)

    Labels on the host are checked and moved to a; labels already on a device are taken as they
    are, since to read them would wait for it. Raises ValueError for a label that is neither a
    class nor ignore_index, and where every pixel is ignored: (3) would be 0 / 0.
    """
    xp = array_namespace(a, weight)
    expect_features("cross_entropy", a)
    n, k, h, w = a.shape
    expect_vectors("cross_entropy", k, weight=weight)
    if tuple(labels.shape) != (n, h, w):
        raise ValueError(
            f"cross_entropy expected labels as {(n, h, w)}, one for each pixel of the logits "
            f"{tuple(a.shape)}, got {tuple(labels.shape)}: resize the logits or the labels"
        )
    if is_numpy_array(labels):
        expect_labels(labels, k, ignore_index)
        labels = place_of(a).asarray(labels, "int64")

    classes = xp.reshape(xp.arange(k, dtype=xp.int32, device=device_of(a)), (1, k, 1, 1))
    labels = xp.expand_dims(labels, axis=1)
    counted = labels != ignore_index
    with unbuffered():
        hot = (xp.astype(labels, xp.int32) == classes) & counted  # (N, K, H, W): one-hot, or none
    if weight is None:
        q = xp.astype(counted, a.dtype)  # Σ_k q_k of (2), at each pixel: (N, 1, H, W)
    else:
        q_k = keep_where(hot, xp.reshape(weight, (1, k, 1, 1)))
        q = xp.sum(q_k, axis=1, keepdims=True)
    total = xp.sum(q)

    with unbuffered():
        below = a - xp.max(a, axis=1, keepdims=True)  # at most 0: exp never overflows
    of_label = xp.sum(keep_where(hot, below), axis=1, keepdims=True)
    e = in_place(xp.exp, below)
    z = xp.sum(e, axis=1, keepdims=True)
    log_p = of_label - xp.log(z)  # (1)
    loss = -xp.sum(keep_where(counted, log_p) * q) / total  # (3)

    def backward(dloss: Array | float) -> Array:
        # (1) d log p_k / d a_j = [j = k] - p_j;  (3) so dL/da = (p Σ_k q_k - q) / Σ q:
        #     softmax minus one-hot, and 0 at ignored pixels, where q is 0.
        share = q * (dloss / total)
        with unbuffered():
            da = e * (share / z)
            da -= keep_where(hot, share)
        return da

    return loss, backward
