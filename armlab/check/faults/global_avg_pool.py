"""Wrong versions of `hand/global_avg_pool.py`."""

from __future__ import annotations

from armlab.check.fault import Fault

FAULTS = [
    Fault(
        "global_avg_pool: 1/HW forgotten backward",
        "global_avg_pool",
        "global_avg_pool",
        "global_avg_pool.backward",
        "(2)",
        "return xp.broadcast_to(dz, shape)",
        "each pixel had a share of 1 / HW in the mean, so it receives that share of dz",
    ),
    Fault(
        "global_avg_pool: sum for mean",
        "global_avg_pool",
        "global_avg_pool",
        "global_avg_pool",
        "(1)",
        "z = position_sum(x)",
        "this is the sum, which grows with the size of the image: divide by H W",
    ),
    Fault(
        "global_avg_pool: divided by H only",
        "global_avg_pool",
        "global_avg_pool",
        "global_avg_pool",
        "(1)",
        "z = position_sum(x) / h",
        "a mean over all positions divides by H W",
    ),
    Fault(
        "global_avg_pool: windows of one pixel",
        "global_avg_pool",
        "global_avg_pool",
        "global_avg_pool",
        "(1)",
        "z = x",
        "this is x: the mean over a window of 1×1 is the pixel itself, and nothing was pooled",
    ),
]
