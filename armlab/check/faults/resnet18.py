"""Wrong versions of `hand/resnet18.py`."""

from __future__ import annotations

from armlab.check.fault import Fault

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
