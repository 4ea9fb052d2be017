"""Energy excitation."""

from __future__ import annotations

from armlab.check import plain
from armlab.check.case import Case
from armlab.check.fault import Fault
from armlab.check.modules import by_channels
from armlab.check.record import Built, Gate, features


def formula(p: plain.Weights, training: bool, x: plain.Value) -> plain.Value:
    squares = plain.each(lambda value: value * value, x)
    a = plain.conv(plain.over_positions(plain.mean, squares), p["fc.weight"], p["fc.bias"])

    def element(n: int, c: int, i: int, j: int) -> float:
        return x[n][c][i][j] * plain.sigmoid(a[n][c][0][0])

    return plain.build(plain.shape(x), element)


CASES = [
    Case(
        "EnergyExcitation",
        by_channels("EnergyExcitation", batch=1),
        built=Built({"channels": 5}, features(5)),
        gate=Gate(
            biases=("fc.bias",), pointwise=True, channels={"fc.weight": (0, 1), "fc.bias": (0,)}
        ),
        formula=formula,
    )
]

FAULTS = [
    Fault(
        "EnergyExcitation: the path of the logits lost",
        "EnergyExcitation",
        "energy_excitation",
        "EnergyExcitation._logits.backward",
        "return",
        "return 0 * square_back(dz), join(fc=d_fc)",
        "x is used twice, by the gate and by its energy: both gradients belong to it",
    )
]
