"""The spatial path: three strided convolutions, which keep the detail that the trunk loses."""

from __future__ import annotations

from typing import Unpack

from armlab.arrays import Array
from armlab.hand.backward import Backward
from armlab.hand.conv_bn_act import ConvBNAct
from armlab.hand.expect import whole
from armlab.hand.made import Made, settled
from armlab.hand.module import Module
from armlab.hand.sequential import in_turn


class SpatialPath(Module):
    """Features at 1/8 of the image, from a window of 19 pixels.

    x  (N, 3, H, W)
    y  (N, 2W₀, ⌈H/8⌉, ⌈W/8⌉)     W₀ = width, 64 in the original

        y = conv1×1(conv3×3(conv3×3(conv7×7(x)))), each with BN and ReLU, the first three
        with stride 2                                                   (1)
    """

    def __init__(self, width: int = 64, **made: Unpack[Made]) -> None:
        made = settled(self, made)
        (width,) = whole(type(self).__name__, width=width)
        self.conv1 = ConvBNAct(3, width, 7, 2, 3, **made)
        self.conv2 = ConvBNAct(width, width, stride=2, **made)
        self.conv3 = ConvBNAct(width, width, stride=2, **made)
        self.conv_out = ConvBNAct(width, 2 * width, 1, padding=0, **made)

    def forward(self, x: Array) -> tuple[Array, Backward]:
        self.expect_features(x, 3)
        return in_turn(self.children(), x)  # (1)
