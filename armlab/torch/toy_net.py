"""A network small enough to train by hand: five 3×3 convolutions, the last one plain or an ARM."""

import copy

import torch
from torch import Tensor, nn

from armlab.torch.attention_refinement import AttentionRefinementModule
from armlab.torch.conv2d import Conv2d
from armlab.torch.conv_bn_act import ConvBNAct
from armlab.torch.resize import resize_bilinear


class ToyNet(nn.Module):
    """(N, 3, H, W) -> logits (N, classes, H, W); attention "none" or "arm"."""

    def __init__(self, classes: int = 3, attention: str = "none", channels: int = 32) -> None:
        super().__init__()
        if attention not in ("none", "arm"):
            raise ValueError(f"expected attention 'none' or 'arm', got {attention!r}")
        act = "leaky_relu"
        self.conv1 = ConvBNAct(3, channels // 2, activation=act)
        self.conv2 = ConvBNAct(channels // 2, channels, stride=2, activation=act)
        self.conv3 = ConvBNAct(channels, channels, activation=act)
        self.conv4 = ConvBNAct(channels, channels, activation=act)
        self.refine: ConvBNAct | AttentionRefinementModule = (
            ConvBNAct(channels, channels, activation=act)
            if attention == "none"
            else AttentionRefinementModule(channels, channels, act)
        )
        self.head = ConvBNAct(channels, channels, 1, padding=0, activation=act)
        self.classify = Conv2d(channels, classes, 1)

    def features(self, x: Tensor) -> Tensor:
        return self.conv4(self.conv3(self.conv2(self.conv1(x))))

    def forward(self, x: Tensor) -> Tensor:
        logits = self.classify(self.head(self.refine(self.features(x))))
        return resize_bilinear(logits, size=(x.shape[2], x.shape[3]))

    @torch.no_grad()
    def gate(self, x: Tensor) -> Tensor | None:
        """The gate of the ARM for these images, (N, channels, 1, 1); None without attention."""
        if not isinstance(self.refine, AttentionRefinementModule):
            return None
        return self.refine.gate(copy.deepcopy(self).features(x))
