"""A network small enough to train by hand: five 3×3 convolutions, the last with attention."""

from __future__ import annotations

from functools import partial
from typing import Any, Unpack

from armlab.arrays import Array
from armlab.hand.backward import Backward, Grads
from armlab.hand.conv2d import Conv2d
from armlab.hand.conv_attention import refinement
from armlab.hand.conv_bn_act import ConvBNAct
from armlab.hand.expect import whole
from armlab.hand.made import Made, settled
from armlab.hand.module import Module
from armlab.hand.resize import resize_bilinear
from armlab.hand.sequential import in_turn


class ToyNet(Module):
    """Classes for every pixel, from a window of a few pixels around it and from its attention.

    x  (N, 3, H, W)        an image
    y  (N, classes, H, W)  logits

    attention="none" ends its features with a 3×3 ConvBNAct, "arm" with the article's ARM, which
    is the same 3×3 and the attention branch behind it; `refinement` has the other names. So two
    networks differ by their attention alone.
    """

    def __init__(
        self, classes: int = 3, attention: str = "none", channels: int = 32, **made: Unpack[Made]
    ) -> None:
        made = settled(self, made)
        classes, channels = whole(type(self).__name__, classes=classes, channels=channels)
        if channels < 2:
            raise ValueError(
                f"{type(self).__name__} expected channels of at least 2, got {channels}: "
                "its first layer has half of them"
            )
        unit: Any = partial(ConvBNAct, activation="leaky_relu", **made)
        self.classes, self.attention, self.channels = classes, attention, channels
        self.conv1 = unit(3, channels // 2)
        self.conv2 = unit(channels // 2, channels, stride=2)
        self.conv3 = unit(channels, channels)
        self.conv4 = unit(channels, channels)
        self.refine = refinement(attention, channels, channels, "leaky_relu", **made)
        self.head = unit(channels, channels, 1, padding=0)
        self.classify = Conv2d(channels, classes, 1, **made)

    def forward(self, x: Array) -> tuple[Array, Backward]:
        self.expect_features(x, 3)
        logits, layers_back = in_turn(self.children(), x)
        y, resize_back = resize_bilinear(logits, size=(x.shape[2], x.shape[3]))

        def backward(dy: Array, input_grad: bool = True) -> tuple[Array | None, Grads]:
            return layers_back(resize_back(dy), input_grad=input_grad)

        return y, backward

    def features(self, x: Array) -> tuple[Array, Backward]:
        """What `refine` is given.  (N, channels, H/2, W/2)"""
        before = {
            "conv1": self.conv1,
            "conv2": self.conv2,
            "conv3": self.conv3,
            "conv4": self.conv4,
        }
        return in_turn(before, x)

    def gate(self, x: Array) -> Array | None:
        """The gate of `refine` for these images; None without attention.

        (N, channels, 1, 1) of a gate per channel, as ARM's; (N, 1, H/2, W/2) per position;
        (N, channels, H/2, W/2) per element. Keeps running statistics as they are.
        """
        if self.attention == "none":
            return None
        look: Any = self.copy()
        return look.refine.gate(look.features(x)[0])
