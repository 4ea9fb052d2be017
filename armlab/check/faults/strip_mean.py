"""Wrong versions of `hand/strip_mean.py` and of its kernels."""

from __future__ import annotations

from armlab.check.fault import Fault

FAULTS = [
    Fault(
        "strip_mean: sum for mean",
        "strip_mean",
        "strip_mean",
        "strip_mean.backward",
        "(2)",
        "return xp.broadcast_to(dy, shape)",
        "each element had a share of 1 / W in its row's mean, so it receives that share of dy",
    ),
    Fault(
        "strip_mean: divided by the length of the other axis",
        "strip_mean",
        "strip_mean",
        "strip_mean.backward",
        "(2)",
        "return xp.broadcast_to(dy / shape[5 - axis], shape)",
        "a row has W elements and a column H: divide by the axis that was averaged away",
    ),
    Fault(
        "strip_mean_product: sum for mean",
        "strip_mean",
        "kernels/strip_mean_product",
        "strip_mean.backward",
        "(2)",
        "return np.broadcast_to(dy, shape)",
        "each element had a share of 1 / W in its row's mean, so it receives that share of dy",
    ),
]
