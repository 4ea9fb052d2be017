"""Coordinate attention."""

from __future__ import annotations

from armlab.check import plain
from armlab.check.case import Case
from armlab.check.fault import Fault
from armlab.check.modules import by_reduction
from armlab.check.record import Built, Gate, features


def formula(p: plain.Weights, training: bool, x: plain.Value) -> plain.Value:
    count, channels, height, width = plain.shape(x)

    def strip(n: int, c: int, k: int, _: int) -> float:
        line = x[n][c][k] if k < height else [row[k - height] for row in x[n][c]]
        return plain.mean(line)

    z = plain.build((count, channels, height + width, 1), strip)
    u = plain.batch_norm(plain.conv(z, p["conv1.weight"], p["conv1.bias"]), p, "bn1", training)
    f = plain.each(plain.hard_swish, u)
    a_h = plain.conv(f, p["conv_h.weight"], p["conv_h.bias"])  # the last W of these are not used
    a_w = plain.conv(f, p["conv_w.weight"], p["conv_w.bias"])  # and the first H of these

    def element(n: int, c: int, i: int, j: int) -> float:
        rows, columns = plain.sigmoid(a_h[n][c][i][0]), plain.sigmoid(a_w[n][c][height + j][0])
        return x[n][c][i][j] * rows * columns

    return plain.build(plain.shape(x), element)


CASES = [
    Case(
        "CoordinateAttention",
        by_reduction("CoordinateAttention"),
        built=Built(
            {"channels": 6, "reduction": 2}, features(6), needed={"channels": 288}, kinks="few"
        ),
        gate=Gate(
            biases=("conv_h.bias", "conv_w.bias"),
            channels={"conv1.weight": (1,)}
            | {f"conv_{axis}.{p}": (0,) for axis in "hw" for p in ("weight", "bias")},
        ),
        formula=formula,
    )
]

FAULTS = [
    Fault(
        "CoordinateAttention: columns lost backward",
        "CoordinateAttention",
        "coordinate_attention",
        "CoordinateAttention._strips.backward",
        "dx",
        "dx = rows_back(drows)",
        "x is used by the means of the rows and of the columns: both gradients belong to it",
    ),
    Fault(
        "CoordinateAttention: one gate passed by",
        "CoordinateAttention",
        "coordinate_attention",
        "CoordinateAttention.forward.backward",
        "dx, da_w",
        "dx, da_w = w_back(dy)",
        "y = x σ(a_w) σ(a_h): dy reaches the column gate through the row gate",
    ),
]
