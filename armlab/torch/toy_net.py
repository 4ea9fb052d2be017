"""A network small enough to train by hand: five 3×3 convolutions, the last with attention."""

import copy
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from armlab.torch.conv2d import Conv2d
from armlab.torch.conv_attention import refinement
from armlab.torch.conv_bn_act import ConvBNAct
from armlab.torch.resize import resize_bilinear


class ToyNet(nn.Module):
    """(N, 3, H, W) -> logits (N, classes, H, W); attention by its name in `refinement`."""

    def __init__(self, classes: int = 3, attention: str = "none", channels: int = 32) -> None:
        super().__init__()
        unit: Any = partial(ConvBNAct, activation="leaky_relu")
        self.attention = attention
        self.conv1 = unit(3, channels // 2)
        self.conv2 = unit(channels // 2, channels, stride=2)
        self.conv3 = unit(channels, channels)
        self.conv4 = unit(channels, channels)
        self.refine: Any = refinement(attention, channels, channels, "leaky_relu")
        self.head = unit(channels, channels, 1, padding=0)
        self.classify = Conv2d(channels, classes, 1)

    def features(self, x: Tensor) -> Tensor:
        y: Tensor = self.conv4(self.conv3(self.conv2(self.conv1(x))))
        return y

    def forward(self, x: Tensor) -> Tensor:
        logits = self.classify(self.head(self.refine(self.features(x))))
        return resize_bilinear(logits, size=(x.shape[2], x.shape[3]))

    @torch.no_grad()
    def gate(self, x: Tensor) -> Tensor | None:
        """The gate of `refine` for these images; None without attention."""
        if self.attention == "none":
            return None
        s: Tensor = self.refine.gate(copy.deepcopy(self).features(x))
        return s
