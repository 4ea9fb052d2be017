"""The article's own module, as published and as described."""

from __future__ import annotations

from armlab.check import plain
from armlab.check.case import Case
from armlab.check.fault import Fault
from armlab.check.modules import by_channels
from armlab.check.record import ATTEN, Built, Gate, features


def formula(p: plain.Weights, training: bool, x: plain.Value) -> plain.Value:
    a = plain.batch_norm(plain.conv(x, p["conv_atten.weight"]), p, "bn_atten", training)

    def element(n: int, c: int, i: int, j: int) -> float:
        return x[n][c][i][j] * plain.sigmoid(a[n][c][i][j])

    return plain.build(plain.shape(x), element)


def residual_formula(p: plain.Weights, training: bool, x: plain.Value) -> plain.Value:
    gated = formula(p, training, x)
    return plain.build(plain.shape(x), lambda n, c, i, j: x[n][c][i][j] + gated[n][c][i][j])


BUILT = Built({"channels": 5}, features(5))
BIASES = ("bn_atten.bias",)
CASES = [
    Case(
        "Attentionout",
        by_channels("Attentionout"),
        built=BUILT,
        gate=Gate(biases=BIASES, pointwise=True, channels=ATTEN),
        formula=formula,
    ),
    Case(
        "ResidualAttentionout",
        by_channels("ResidualAttentionout"),
        built=BUILT,
        gate=Gate(
            makes=lambda module, gate, x: x + x * gate,
            biases=BIASES,
            pointwise=True,
            channels=ATTEN,
        ),
        formula=residual_formula,
    ),
]

FAULTS = [
    Fault(
        "Attentionout: the path of the logits lost",
        "Attentionout",
        "attentionout",
        "Attentionout._logits.backward",
        "return",
        "return 0 * dx, join(conv_atten=d_conv, bn_atten=d_bn)",
        "x is used twice, by the gate and by the convolution: both gradients belong to it",
    ),
]
