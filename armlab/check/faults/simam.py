"""Wrong versions of `hand/simam.py` and of its kernels."""

from __future__ import annotations

from armlab.check.fault import Fault

FAULTS = [
    Fault(
        "simam_logits: variance by H W",
        "simam_logits",
        "simam",
        "simam_logits",
        "(2)",
        "v = position_sum(d * d) / m",
        "this variance is the unbiased one: divide by H W - 1",
    ),
    Fault(
        "simam_logits: one half forgotten",
        "simam_logits",
        "simam",
        "simam_logits",
        "(5)",
        "a = e + 0.0",
        "SimAM's logits begin at 1/2: equation (5)",
    ),
    Fault(
        "simam_logits: gradient through the variance forgotten",
        "simam_logits",
        "simam",
        "simam_logits.backward",
        "(6)",
        "dd = 2.0 * q * d * da",
        "the variance moves with every x: its path takes 4 Σ da e / (m - 1) away",
    ),
    Fault(
        "simam_logits: gradient through the mean forgotten",
        "simam_logits",
        "simam",
        "simam_logits.backward",
        "(7)",
        "return dd",
        "the mean moves with every x: subtract the mean of dL/dd",
    ),
    Fault(
        "SimAM: lambda_ not handed on",
        "SimAM",
        "simam",
        "SimAM._logits",
        "a, logits_back",
        "a, logits_back = simam_logits(x)",
        "the module was built with a lambda_ of its own",
    ),
    Fault(
        "simam_in_place: gradient through the variance forgotten",
        "simam_logits",
        "kernels/simam_in_place",
        "simam_logits.backward",
        "dd",
        "dd = da + 0.0",
        "the variance moves with every x: its path takes 4 Σ da e / (m - 1) away",
    ),
    Fault(
        "simam_in_place: gradient through the mean forgotten",
        "simam_logits",
        "kernels/simam_in_place",
        "simam_logits.backward",
        "(7)",
        "pass",
        "the mean moves with every x: subtract the mean of dL/dd",
    ),
]
