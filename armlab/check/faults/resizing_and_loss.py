"""Wrong resizing, wrong cross-entropy."""

from __future__ import annotations

from armlab.check.fault import Fault

FAULTS = [
    Fault(
        "resize_bilinear: corners aligned",
        "resize_bilinear",
        "resize",
        "(i + 0.5) * (size / out) - 0.5",
        "i * ((size - 1) / max(out - 1, 1))",
        "pixel centres lie half a pixel in (align_corners=False)",
    ),
    Fault(
        "resize_nearest: mean for sum",
        "resize_nearest",
        "resize",
        "_transposed(dy, _ones_at(dy, rows, h), _ones_at(dy, columns, w))",
        "_transposed(dy, *(a / xp.maximum(xp.sum(a, axis=0), xp.ones_like(a[0, :]))"
        " for a in (_ones_at(dy, rows, h), _ones_at(dy, columns, w))))",
        "one pixel repeated several times collects the sum of its gradients, not their mean",
    ),
    Fault(
        "resize_nearest: only the last copy is heard",
        "resize_nearest",
        "resize",
        "_transposed(dy, _ones_at(dy, rows, h), _ones_at(dy, columns, w))",
        "_transposed(dy, *(a * xp.astype(xp.cumulative_sum(a, axis=0) == xp.sum(a, axis=0),"
        " a.dtype) for a in (_ones_at(dy, rows, h), _ones_at(dy, columns, w))))",
        "a pixel that was repeated has several gradients, and only the last of them stays: add up",
    ),
    Fault(
        "cross_entropy: class weights not in the denominator",
        "cross_entropy",
        "cross_entropy",
        "total = xp.sum(q)",
        "total = xp.sum(xp.astype(counted, a.dtype))",
        "the mean is weighted: divide by the sum of the weights, not by the number of pixels",
    ),
    Fault(
        "cross_entropy: ignored pixels get a gradient",
        "cross_entropy",
        "cross_entropy",
        "share = q * (dloss / total)",
        "share = (0.0 * q + 1.0) * (dloss / total)",
        "an ignored pixel has no loss, so softmax minus one-hot must be 0 there",
    ),
    Fault(
        "cross_entropy: an ignored class still counts",
        "cross_entropy",
        "cross_entropy",
        "counted = labels != ignore_index",
        "counted = (labels != ignore_index) | ((labels >= 0) & (labels < k))",
        "ignore_index may be the number of a class, and then that class is left out",
    ),
]
