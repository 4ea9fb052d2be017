"""Wrong versions of `hand/uafm.py`."""

from __future__ import annotations

from armlab.check.fault import Fault

FAULTS = [
    Fault(
        "UAFMSpatial: low keeps its whole gradient",
        "UAFMSpatial",
        "uafm",
        "UAFMSpatial.forward.backward",
        "return",
        "return dhigh, collect(dlow_kept, dlow_seen), grads",
        "low has the share 1 - s of y, so it receives that share of dy",
    ),
    Fault(
        "UAFMSpatial: shares swapped",
        "UAFMSpatial",
        "uafm",
        "UAFMSpatial.forward",
        "gated, gate_back",
        "gated, gate_back = sigmoid_gate(apart, -a)",
        "s is the share of the resized high map; in PaddleSeg it is that of the low one",
    ),
    Fault(
        "UAFMChannel: max first",
        "UAFMChannel",
        "uafm",
        "UAFMChannel._statistics",
        "(5)",
        "return stack_statistics(x, global_max_pool, global_avg_pool)",
        "the mean comes first, then the max",
    ),
]
