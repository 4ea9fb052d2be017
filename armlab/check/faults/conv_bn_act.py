"""Wrong versions of `hand/conv_bn_act.py`."""

from __future__ import annotations

from armlab.check.fault import Fault

FAULTS = [
    Fault(
        "ConvBNAct: activation forgotten backward",
        "ConvBNAct",
        "conv_bn_act",
        "ConvBNAct.forward.backward",
        "return",
        "return conv_bn_back(dy, input_grad=input_grad)",
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
