"""CBAM and its two halves."""

from __future__ import annotations

from armlab.check.case import Case, Draw
from armlab.check.example import Example
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
