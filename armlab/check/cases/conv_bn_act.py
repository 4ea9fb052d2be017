"""A convolution with batch normalisation, without and with an activation."""

from __future__ import annotations

from armlab.check.case import Case
from armlab.check.example import Example
from armlab.check.fault import Fault
from armlab.check.modules import module_example
from armlab.check.record import Built, Timed, features
from armlab.check.strategies import Source


def conv_bn(s: Source) -> Example:
    n, c, h, w = s.features((2, 1, 3, 3))
    k = s.pick(2, 5)
    options = {"in_channels": c, "out_channels": k, "kernel_size": 1, "padding": 0}
    return module_example(s, "ConvBN", options, (n, c, h, w), (n, k, h, w))


def conv_bn_act(s: Source) -> Example:
    n, c, h, w = s.features((2, 1, 3, 3))
    k, stride = s.pick(2, 5), s.pick(1, 2)
    options = {
        "in_channels": c,
        "out_channels": k,
        "stride": stride,
        "activation": s.pick("relu", "leaky_relu"),
    }
    out = [(size - 1) // stride + 1 for size in (h, w)]
    return module_example(s, "ConvBNAct", options, (n, c, h, w), (n, k, *out))


SIZE = {"in_channels": 3, "out_channels": 4, "stride": 2}
CASES = [
    Case(
        "ConvBN",
        conv_bn,
        built=Built(SIZE, features(3), spares=1),
        held_by="the blocks of pytorchcv that are made of it, in test_oracle.py",
    ),
    Case(
        "ConvBNAct",
        conv_bn_act,
        built=Built(SIZE | {"activation": "leaky_relu"}, features(3), kinks="few", spares=1),
        held_by="the blocks of pytorchcv that are made of it, in test_oracle.py",
        timed=(
            Timed(
                {"x": (8, 32, 64, 64)},
                {"in_channels": 32, "out_channels": 64, "activation": "leaky_relu"},
                name="conv_bn_act",
            ),
        ),
    ),
]

FAULTS = [
    Fault(
        "ConvBNAct: activation forgotten backward",
        "ConvBNAct",
        "batch_norm_activated",
        "activated.backward",
        "return",
        "return bn_back(dy)",
        "a backward reads its forward upwards, every line of it",
    ),
    Fault(
        "ConvBN: read forwards again",
        "ConvBN",
        "conv_bn_act",
        "ConvBN.forward.backward",
        "du, d_bn",
        "du, d_bn = dy, bn_back(dy)[1]",
        "a backward reads its forward upwards, every line of it",
    ),
]
