"""Wrong versions of `hand/cross_entropy.py`."""

from __future__ import annotations

from armlab.check.fault import Fault

FAULTS = [
    Fault(
        "cross_entropy: class weights not in the denominator",
        "cross_entropy",
        "cross_entropy",
        "cross_entropy",
        "total",
        "total = xp.sum(xp.astype(counted, a.dtype))",
        "the mean is weighted: divide by the sum of the weights, not by the number of pixels",
    ),
    Fault(
        "cross_entropy: ignored pixels get a gradient",
        "cross_entropy",
        "cross_entropy",
        "cross_entropy.backward",
        "share",
        "share = (0.0 * q + 1.0) * (dloss / total)",
        "an ignored pixel has no loss, so softmax minus one-hot must be 0 there",
    ),
    Fault(
        "cross_entropy: an ignored class still counts",
        "cross_entropy",
        "cross_entropy",
        "cross_entropy",
        "counted",
        "counted = (labels != ignore_index) | ((labels >= 0) & (labels < k))",
        "ignore_index may be the number of a class, and then that class is left out",
    ),
]
