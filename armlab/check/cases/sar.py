"""Spatial attention refinement, as listed and as in its origin."""

from __future__ import annotations

from armlab.check import plain
from armlab.check.case import Case
from armlab.check.example import Example
from armlab.check.fault import Fault
from armlab.check.modules import module_example
from armlab.check.record import Built, Gate, conv_bn_axes, features
from armlab.check.strategies import Source


def listed_sar(s: Source) -> Example:
    shape = s.features((2, 1, 1, 1))
    options = {"in_channels": shape[1], "mid_channels": s.pick(1, 2, 6)}
    return module_example(s, "ListedSAR", options, shape, shape)


def sar(s: Source) -> Example:
    n, c, h, w = s.features((2, 1, 1, 1))
    options = {"in_channels": c, "mid_channels": s.pick(1, 6), "out_channels": s.pick(7, 2)}
    return module_example(s, "SAR", options, (n, c, h, w), (n, options["out_channels"], h, w))


def listed_formula(p: plain.Weights, training: bool, x: plain.Value) -> plain.Value:
    u = plain.conv(x, p["conv_reduce.conv.weight"])
    r = plain.each(plain.leaky_relu, plain.batch_norm(u, p, "conv_reduce.bn", training))
    m = plain.stacked(plain.over_channels(plain.mean, r), plain.over_channels(max, r))
    a = plain.batch_norm(plain.conv(m, p["conv_atten.weight"]), p, "bn_atten", training)

    def element(n: int, c: int, i: int, j: int) -> float:
        return x[n][c][i][j] * plain.sigmoid(a[n][0][i][j])

    return plain.build(plain.shape(x), element)


def formula(p: plain.Weights, training: bool, x: plain.Value) -> plain.Value:
    u = plain.conv(listed_formula(p, training, x), p["conv1.conv.weight"])
    return plain.each(plain.leaky_relu, plain.batch_norm(u, p, "conv1.bn", training))


REDUCED = {"conv_reduce.conv.weight": (1,)}
BIASES = ("bn_atten.bias",)
CASES = [
    Case(
        "ListedSAR",
        listed_sar,
        built=Built({"in_channels": 5, "mid_channels": 3}, features(5), kinks="few"),
        gate=Gate(biases=BIASES, channels=REDUCED),
        formula=listed_formula,
    ),
    Case(
        "SAR",
        sar,
        built=Built(
            {"in_channels": 5, "mid_channels": 3, "out_channels": 4}, features(5), kinks="few"
        ),
        gate=Gate(
            makes=lambda sar, gate, x: sar.conv1(x * gate)[0],
            biases=BIASES,
            channels=REDUCED | conv_bn_axes("conv1.conv", "conv1.bn", (0, 1)),
            square={"in_channels": 4, "mid_channels": 3, "out_channels": 4},
        ),
        formula=formula,
    ),
]

FAULTS = [
    Fault(
        "ListedSAR: max first",
        "ListedSAR",
        "sar",
        "ListedSAR._logits",
        "(2)",
        "m, stats_back = stack_statistics(r, channel_max, channel_mean)",
        "the mean comes first, then the max",
    ),
]
