"""Efficient channel attention, and the layer it is made of."""

from __future__ import annotations

from armlab.check import plain
from armlab.check.case import Case
from armlab.check.example import Example
from armlab.check.fault import Fault
from armlab.check.modules import module_example
from armlab.check.record import Built, Gate, features
from armlab.check.strategies import Source


def channel_conv1d(s: Source) -> Example:
    n, c, _, _ = s.features(large=(3, 401, 1, 1))
    options = {"kernel_size": s.pick(3, 1, 5)}
    return module_example(s, "ChannelConv1d", options, (n, c, 1, 1), (n, c, 1, 1))


def eca(s: Source) -> Example:
    shape = s.features()
    options = {"channels": shape[1], "kernel_size": s.pick(None, 1, 5)}
    return module_example(s, "ECA", options, shape, shape)


def formula(p: plain.Weights, training: bool, x: plain.Value) -> plain.Value:
    z = plain.over_positions(plain.mean, x)
    w: list[float] = p["conv.weight"][0][0]
    channels, r = plain.shape(x)[1], len(w) // 2

    def logit(n: int, c: int) -> float:
        near = range(max(0, c - r), min(channels, c + r + 1))
        return sum(w[b - c + r] * z[n][b][0][0] for b in near)

    def element(n: int, c: int, i: int, j: int) -> float:
        return x[n][c][i][j] * plain.sigmoid(logit(n, c))

    return plain.build(plain.shape(x), element)


CASES = [
    Case(
        "ChannelConv1d",
        channel_conv1d,
        built=Built({"kernel_size": 3}, lambda h, w: [(5, 1, 1)], any_channels=True),
        held_by="PyTorch's own layer, nn.Conv1d, and the formula of ECA",
    ),
    Case(
        "ECA",
        eca,
        built=Built({"channels": 5}, features(5), needed={"channels": 128}),
        gate=Gate(pointwise=True, channels=None),
        formula=formula,
    ),
]

FAULTS = [
    Fault(
        "ChannelConv1d: weight gradient halved",
        "ChannelConv1d",
        "eca",
        "ChannelConv1d.forward.backward",
        "return",
        'return dz, {"weight": 0.5 * dw}',
        "a factor crept in",
    ),
    Fault(
        "ECA: pool forgotten backward",
        "ECA",
        "eca",
        "ECA._logits.backward",
        "return",
        "return dz + 0 * pool_back(dz), join(conv=d_conv)",
        "each pixel had a share of 1 / HW in the mean, so it receives that share of dz",
    ),
]
