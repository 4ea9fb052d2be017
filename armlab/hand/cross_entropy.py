"""Softmax cross-entropy over pixels: the loss that segmentation is trained with."""

from __future__ import annotations

from numbers import Integral

from array_api_compat import device as device_of
from array_api_compat import is_array_api_obj, is_numpy_array

from armlab.arrays import Array, array_namespace
from armlab.hand import kernels
from armlab.hand.backward import Backward
from armlab.hand.expect import expect_features, expect_labels, expect_vectors
from armlab.places import place_of


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
    xp = array_namespace(a)
    labels, k = checked(a, labels, weight, ignore_index), a.shape[1]
    if kernel := kernels.choose("cross_entropy", a, labels, weight, ignore_index):
        return kernel(a, labels, weight, ignore_index)
    classes = xp.reshape(xp.arange(k, dtype=xp.int32, device=device_of(a)), (1, k, 1, 1))
    labels = xp.expand_dims(labels, axis=1)
    hot = (xp.astype(labels, xp.int32) == classes) & (labels != ignore_index)
    of_class = xp.ones_like(a) if weight is None else xp.reshape(weight, (1, k, 1, 1))

    below = a - xp.max(a, axis=1, keepdims=True)  # at most 0: exp never overflows
    e = xp.exp(below)
    z = xp.sum(e, axis=1, keepdims=True)
    p = e / z  # (1)
    log_p = below - xp.log(z)
    q = xp.where(hot, of_class, 0.0)  # (2)
    total = xp.sum(q)
    loss = -xp.sum(q * xp.where(q != 0, log_p, 0.0)) / total  # (3)

    def backward(dloss: Array | float) -> Array:
        # (1) d log p_k / d a_j = [j = k] - p_j;  (3) so softmax minus one-hot, where q is not 0.
        #     What does not count has the gradient 0, and p is not asked: it may be NaN there.
        q_of_pixel = xp.sum(q, axis=1, keepdims=True)
        da = (p * q_of_pixel - q) * (dloss / total)  # (4)
        return xp.where(q_of_pixel != 0, da, 0.0)

    return loss, backward


def checked(a: Array, labels: Array, weight: Array | None, ignore_index: int) -> Array:
    """The labels where the logits are, once all arguments are what `cross_entropy` takes."""
    array_namespace(a, weight)  # of one library, dtype and device
    if not isinstance(ignore_index, Integral) or isinstance(ignore_index, bool):
        raise ValueError(
            f"cross_entropy expected ignore_index as a whole number, got {ignore_index!r}: "
            "give the label that does not count"
        )
    expect_features("cross_entropy", a)
    n, k, h, w = a.shape
    if weight is not None:
        expect_vectors("cross_entropy", k, weight=weight)
    if not is_array_api_obj(labels):
        raise TypeError(
            f"cross_entropy expected labels as an array of integers, got {type(labels).__name__}: "
            "wrap them with numpy.asarray"
        )
    if tuple(labels.shape) != (n, h, w):
        raise ValueError(
            f"cross_entropy expected labels as {(n, h, w)}, one for each pixel of the logits "
            f"{tuple(a.shape)}, got {tuple(labels.shape)}: resize the logits or the labels"
        )
    if not is_numpy_array(labels):
        return labels
    expect_labels(labels, k, ignore_index)
    return place_of(a).asarray(labels, "int64")
