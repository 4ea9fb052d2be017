"""CBAM and its two halves."""

from __future__ import annotations

from armlab.check.case import Case, Draw
from armlab.check.example import Example
from armlab.check.fault import Fault
from armlab.check.modules import by_reduction, module_example
from armlab.check.record import Built, Gate, features
from armlab.check.strategies import Source


def spatial(name: str) -> Draw:
    def draw(s: Source) -> Example:
        shape = s.features((2, 1, 1, 1))
        return module_example(s, name, {"kernel_size": s.pick(7, 3, 1)}, shape, shape)

    return draw


FC = {"fc1.weight": (1,), "fc2.weight": (0,), "fc2.bias": (0,)}
SPATIAL = Built({"kernel_size": 3}, features(5), kinks="few", any_channels=True)
CASES = [
    Case(
        "CBAMChannel",
        by_reduction("CBAMChannel"),
        built=Built(
            {"channels": 6, "reduction": 2}, features(6), needed={"channels": 32}, kinks="few"
        ),
        gate=Gate(biases=("fc2.bias",), pointwise=True, channels=FC),
        held_by="pytorchcv's CbamBlock, in test_oracle.py",
    ),
    Case(
        "CBAMSpatial",
        spatial("CBAMSpatial"),
        built=SPATIAL,
        gate=Gate(biases=("bn.bias",)),
        held_by="pytorchcv's CbamBlock, in test_oracle.py",
    ),
    Case(
        "CBAMSpatialMeanFirst",
        spatial("CBAMSpatialMeanFirst"),
        built=SPATIAL,
        gate=Gate(biases=("bn.bias",)),
        held_by="CBAMSpatial, from which it has all but the order of its statistics",
    ),
    Case(
        "CBAM",
        by_reduction("CBAM"),
        built=Built(
            {"channels": 6, "reduction": 3}, features(6), needed={"channels": 32}, kinks="few"
        ),
        gate=Gate(
            biases=("ch_gate.fc2.bias", "sp_gate.bn.bias"),
            channels={f"ch_gate.{key}": axes for key, axes in FC.items()},
        ),
        held_by="pytorchcv's CbamBlock, in test_oracle.py",
    ),
]

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
