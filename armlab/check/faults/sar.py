"""Wrong versions of `hand/sar.py`."""

from __future__ import annotations

from armlab.check.fault import Fault

FAULTS = [
    Fault(
        "ListedSAR: max first",
        "ListedSAR",
        "sar",
        "ListedSAR._logits",
        "(2)",
        "m, stats_back = stack_statistics(r, channel_max, channel_mean)",
        "the mean comes first, then the max",
    ),
]
