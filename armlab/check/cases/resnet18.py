"""ResNet-18 and the block it is made of."""

from __future__ import annotations

from armlab.check.case import Case
from armlab.check.example import Example
from armlab.check.fault import Fault
from armlab.check.modules import module_example, path
from armlab.check.record import Built, features
from armlab.check.strategies import Source


def basic_block(s: Source) -> Example:
    n, c, h, w = s.features((2, 1, 1, 1))
    k, stride = s.pick(c, 6), s.pick(1, 2)
    options = {"in_channels": c, "out_channels": k, "stride": stride}
    out = [-(-size // stride) for size in (h, w)]
    return module_example(s, "BasicBlock", options, (n, c, h, w), (n, k, *out))


CASES = [
    Case(
        "BasicBlock",
        basic_block,
        built=Built({"in_channels": 3, "out_channels": 4, "stride": 2}, features(3), kinks="few"),
        held_by="pytorchcv's ResNet, a part of the network in test_oracle.py",
    ),
    Case(
        "ResNet18",
        path("ResNet18", {8: 2, 16: 4, 32: 8}),
        share=0.1,
        built=Built({"width": 2}, features(3), kinks="many", spares=1),
        held_by="pytorchcv's ResNet, a part of the network in test_oracle.py",
    ),
]

FAULTS = [
    Fault(
        "BasicBlock: the way around lost backward",
        "BasicBlock",
        "resnet18",
        "BasicBlock.forward.backward",
        "return",
        "return dx, grads",
        "x goes through the block and around it: both gradients belong to it",
    ),
    Fault(
        "ResNet18: features at 1/16 used once",
        "ResNet18",
        "resnet18",
        "ResNet18.forward.backward",
        "df16",
        "df16 = df16_deeper",
        "they are an output and the input of layer4: both gradients belong to them",
    ),
]
