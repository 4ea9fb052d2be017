"""BiSeNet's context path: a trunk, an ARM at 1/32 and at 1/16, and the mean of the whole image."""

import copy
from typing import Any

import torch
from torch import Tensor, nn

from armlab.torch.conv_attention import refinement
from armlab.torch.conv_bn_act import ConvBNAct
from armlab.torch.global_avg_pool import global_avg_pool
from armlab.torch.resize import resize_nearest
from armlab.torch.resnet18 import ResNet18


class ContextPath(nn.Module):
    """x (N, 3, H, W)  ->  features at 1/8 and at 1/16, each with 2 width channels."""

    def __init__(self, width: int = 64, attention: str = "arm") -> None:
        super().__init__()
        wide = 2 * width
        self.attention = attention
        self.resnet = ResNet18(width)
        self.arm16 = refinement(attention, 4 * width, wide, "relu")
        self.arm32 = refinement(attention, 8 * width, wide, "relu")
        self.conv_head32 = ConvBNAct(wide, wide)
        self.conv_head16 = ConvBNAct(wide, wide)
        self.conv_avg = ConvBNAct(8 * width, wide, 1, padding=0)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        f8, f16, f32 = self.resnet(x)
        sum32 = self.arm32(f32) + self.conv_avg(global_avg_pool(f32))
        y16 = self.conv_head32(resize_nearest(sum32, size=f16.shape[2:]))
        sum16 = self.arm16(f16) + y16
        y8 = self.conv_head16(resize_nearest(sum16, size=f8.shape[2:]))
        return y8, y16

    @torch.no_grad()
    def gates(self, x: Tensor) -> dict[str, Tensor]:
        """The gates of "arm16" and "arm32" for these images; {} without attention."""
        if self.attention == "none":
            return {}
        look: Any = copy.deepcopy(self)
        _, f16, f32 = look.resnet(x)
        return {"arm16": look.arm16.gate(f16), "arm32": look.arm32.gate(f32)}
