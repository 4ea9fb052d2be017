"""Wrong versions of `hand/cbam.py`."""

from __future__ import annotations

from armlab.check.fault import Fault

FAULTS = [
    Fault(
        "CBAMChannel: shared weights, one gradient",
        "CBAMChannel",
        "cbam",
        "CBAMChannel._logits.backward",
        "grads",
        "grads = {key: g for key, g in of_mean.items()}",
        "the bottleneck is used twice: its weights collect both gradients",
    ),
    Fault(
        "CBAMChannel: shared weights, the second gradient replaces the first",
        "CBAMChannel",
        "cbam",
        "CBAMChannel._logits.backward",
        "grads",
        "grads = {key: of_max[key] for key, g in of_mean.items()}",
        "the second gradient of the shared weights has replaced the first: they add up",
    ),
    Fault(
        "CBAMChannel: max path lost backward",
        "CBAMChannel",
        "cbam",
        "CBAMChannel._logits.backward",
        "return",
        "return mean_back(dmean), grads",
        "x is used by both pools: both gradients belong to it",
    ),
    Fault(
        "CBAMChannel: max path lost",
        "CBAM",
        "cbam",
        "CBAMChannel._logits.backward",
        "return",
        "return mean_back(dmean), grads",
        "x is used by both pools: both gradients belong to it",
    ),
    Fault(
        "CBAMSpatial: mean first",
        "CBAMSpatial",
        "cbam",
        "CBAMSpatial._statistics",
        "return",
        "return stack_statistics(x, channel_mean, channel_max)",
        "the max comes first here; with the mean first it is another module",
    ),
    Fault(
        "CBAMSpatialMeanFirst: max first",
        "CBAMSpatialMeanFirst",
        "cbam",
        "CBAMSpatialMeanFirst._statistics",
        "return",
        "return stack_statistics(x, channel_max, channel_mean)",
        "the mean comes first here; with the max first it is another module",
    ),
]
