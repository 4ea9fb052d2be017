"""Effective squeeze and excitation."""

from __future__ import annotations

from armlab.check import plain
from armlab.check.case import Case
from armlab.check.modules import by_channels
from armlab.check.record import Built, Gate, features


def formula(p: plain.Weights, training: bool, x: plain.Value) -> plain.Value:
    a = plain.conv(plain.over_positions(plain.mean, x), p["fc.weight"], p["fc.bias"])

    def element(n: int, c: int, i: int, j: int) -> float:
        return x[n][c][i][j] * plain.sigmoid(a[n][c][0][0])

    return plain.build(plain.shape(x), element)


CASES = [
    Case(
        "EffectiveSE",
        by_channels("EffectiveSE", batch=1),
        built=Built({"channels": 5}, features(5)),
        gate=Gate(
            biases=("fc.bias",), pointwise=True, channels={"fc.weight": (0, 1), "fc.bias": (0,)}
        ),
        formula=formula,
    )
]
