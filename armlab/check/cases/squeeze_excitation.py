"""Squeeze and excitation."""

from armlab.check.case import Case
from armlab.check.fault import Fault
from armlab.check.modules import by_reduction
from armlab.check.record import Built, Gate, features

FC = {"fc1.weight": (1,), "fc2.weight": (0,), "fc2.bias": (0,)}
CASES = [
    Case(
        "SqueezeExcitation",
        by_reduction("SqueezeExcitation"),
        built=Built(
            {"channels": 6, "reduction": 2}, features(6), needed={"channels": 32}, kinks="few"
        ),
        gate=Gate(biases=("fc2.bias",), pointwise=True, channels=FC),
        held_by="pytorchcv's SEBlock, in test_oracle.py",
    )
]

FAULTS = [
    Fault(
        "SqueezeExcitation: pool forgotten backward",
        "SqueezeExcitation",
        "squeeze_excitation",
        "SqueezeExcitation._logits.backward",
        "return",
        "return dz + 0 * pool_back(dz), grads",
        "each pixel had a share of 1 / HW in the mean, so it receives that share of dz",
    ),
]
