"""The fusions of BiSeNet."""

from __future__ import annotations

from typing import Any

import numpy as np

from armlab.check.case import Case, Draw
from armlab.check.example import Example
from armlab.check.fault import Fault
from armlab.check.modules import module_example
from armlab.check.record import Built, Gate, conv_bn_axes, features
from armlab.check.strategies import Source


def fusion(name: str) -> Draw:
    def draw(s: Source) -> Example:
        n, c, h, w = s.features((2, 1, 1, 1))
        c2, k = s.pick(1, 3), s.pick(2, 6)
        options = {"in_channels": c + c2, "out_channels": k}
        if name == "FeatureFusionModule":
            options["reduction"] = s.pick(1, 2)
        inputs = {"sp": (n, c, h, w), "cp": (n, c2, h, w)}
        return module_example(s, name, options, inputs, (n, k, h, w))

    return draw


def makes(module: Any, gate: Any, sp: Any, cp: Any) -> Any:
    f, _ = module.convblk(np.concatenate([sp, cp], axis=1))
    return f + f * gate


SIZE, SQUARE = {"in_channels": 7, "out_channels": 6}, {"in_channels": 8, "out_channels": 4}
CONVBLK = conv_bn_axes("convblk.conv", "convblk.bn", (0, 1))
CASES = [
    Case(
        "FeatureFusionModule",
        fusion("FeatureFusionModule"),
        built=Built(SIZE | {"reduction": 2}, features(4, 3), kinks="few"),
        gate=Gate(
            makes,
            pointwise=True,
            channels=CONVBLK | {"conv1.weight": (1,), "conv2.weight": (0,)},
            square=SQUARE | {"reduction": 2},
        ),
        held_by="pytorchcv's FeatureFusion, in test_oracle.py",
    ),
    Case(
        "SingleLayerFeatureFusion",
        fusion("SingleLayerFeatureFusion"),
        built=Built(SIZE, features(4, 3), kinks="few"),
        gate=Gate(
            makes,
            biases=("bn.bias",),
            pointwise=True,
            channels=CONVBLK | conv_bn_axes("conv", "bn", (0, 1)),
            square=SQUARE,
        ),
        held_by="the FeatureFusionModule, from which its attention differs by one layer",
    ),
    Case(
        "RectifiedFeatureFusion",
        fusion("RectifiedFeatureFusion"),
        built=Built(SIZE, features(4, 3), kinks="few"),
        gate=Gate(
            makes,
            pointwise=True,
            channels=CONVBLK | conv_bn_axes("conv_atten", "bn_atten", (0, 1)),
            square=SQUARE,
        ),
        held_by="mmsegmentation's forward, written out in test_families.py",
    ),
]

FAULTS = [
    Fault(
        "FeatureFusionModule: only the spatial path gets its gradient",
        "FeatureFusionModule",
        "feature_fusion",
        "FeatureFusionModule._mixed.backward",
        "dsp, dcp",
        "dsp, dcp = concat_back(dx)[0], 0 * concat_back(dx)[1]",
        "both paths went in, so both get their part of the gradient back",
    ),
    Fault(
        "SingleLayerFeatureFusion: only the spatial path gets its gradient",
        "SingleLayerFeatureFusion",
        "feature_fusion",
        "FeatureFusionModule._mixed.backward",
        "dsp, dcp",
        "dsp, dcp = concat_back(dx)[0], 0 * concat_back(dx)[1]",
        "both paths went in, so both get their part of the gradient back",
    ),
    Fault(
        "RectifiedFeatureFusion: no ReLU before the sigmoid",
        "RectifiedFeatureFusion",
        "feature_fusion",
        "RectifiedFeatureFusion._logits",
        "(5)",
        "a, bn_back = self.bn_atten(u)",
        "mmsegmentation has a ReLU there: its gate is at least 1/2",
    ),
]
