"""Wrong versions of `hand/cross_entropy.py` and of its kernels."""

from __future__ import annotations

from armlab.check.fault import Fault

FAULTS = [
    Fault(
        "cross_entropy: class weights not in the denominator",
        "cross_entropy",
        "cross_entropy",
        "cross_entropy",
        "total",
        "total = xp.sum(xp.astype(labels != ignore_index, a.dtype))",
        "the mean is weighted: divide by the sum of the weights, not by the number of pixels",
    ),
    Fault(
        "cross_entropy: ignored pixels get a gradient",
        "cross_entropy",
        "cross_entropy",
        "cross_entropy.backward",
        "q_of_pixel",
        "ignored = xp.astype(labels == ignore_index, a.dtype)\n"
        "q_of_pixel = xp.sum(q, axis=1, keepdims=True) + ignored",
        "an ignored pixel has no loss, so softmax minus one-hot must be 0 there",
    ),
    Fault(
        "cross_entropy: an ignored class still counts",
        "cross_entropy",
        "cross_entropy",
        "cross_entropy",
        "hot",
        "hot = xp.astype(labels, xp.int32) == classes",
        "ignore_index may be the number of a class, and then that class is left out",
    ),
    Fault(
        "cross_entropy_of_label: ignored pixels get a gradient",
        "cross_entropy",
        "kernels/cross_entropy_of_label",
        "cross_entropy.backward",
        "share",
        "share = (q + ~counted) * (dloss / total)",
        "an ignored pixel has no loss, so softmax minus one-hot must be 0 there",
    ),
    Fault(
        "cross_entropy: ignored pixels multiplied by 0",
        "cross_entropy",
        "cross_entropy",
        "cross_entropy",
        "(3)",
        "loss = -xp.sum(q * log_p) / total",
        "0 times NaN is NaN: what an ignored pixel holds is left out, not multiplied by 0",
    ),
    Fault(
        "cross_entropy_of_label: ignored pixels multiplied by 0",
        "cross_entropy",
        "kernels/cross_entropy_of_label",
        "cross_entropy",
        "(3)",
        "loss = -np.sum(log_p * q) / total",
        "0 times NaN is NaN: what an ignored pixel holds is left out, not multiplied by 0",
    ),
]
