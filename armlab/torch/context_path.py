"""BiSeNet's context path: a trunk, an ARM at 1/32 and at 1/16, and the mean of the whole image."""

import copy
from typing import Any

import torch
from torch import Tensor, nn

from armlab.torch.conv_attention import refinement
from armlab.torch.conv_bn_act import ConvBNAct
from armlab.torch.global_avg_pool import global_avg_pool
from armlab.torch.resize import resize_bilinear, resize_nearest
from armlab.torch.resnet18 import ResNet18


class ContextPath(nn.Module):
    """x (N, 3, H, W)  ->  features at 1/8 and at 1/16, each with 2 width channels."""

    def __init__(
        self,
        width: int = 64,
        attention: str = "arm",
        mode: str = "nearest",
        align_corners: bool = False,
    ) -> None:
        super().__init__()
        if mode not in ("nearest", "bilinear"):
            raise ValueError(f"expected mode 'nearest' or 'bilinear', got {mode!r}")
        wide = 2 * width
        self.attention, self.mode, self.align_corners = attention, mode, align_corners
        self.resnet = ResNet18(width)
        self.arm16 = refinement(attention, 4 * width, wide, "relu")
        self.arm32 = refinement(attention, 8 * width, wide, "relu")
        self.conv_head32 = ConvBNAct(wide, wide)
        self.conv_head16 = ConvBNAct(wide, wide)
        self.conv_avg = ConvBNAct(8 * width, wide, 1, padding=0)

    def resized(self, x: Tensor, other: Tensor) -> Tensor:
        size = other.shape[2], other.shape[3]
        if self.mode == "nearest":
            return resize_nearest(x, size=size)
        return resize_bilinear(x, size=size, align_corners=self.align_corners)

    def scales(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        f8, f16, f32 = self.resnet(x)
        sum32 = self.arm32(f32) + self.conv_avg(global_avg_pool(f32))
        y16 = self.conv_head32(self.resized(sum32, f16))
        sum16 = self.arm16(f16) + y16
        y8 = self.conv_head16(self.resized(sum16, f8))
        return f8, y8, y16

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        return self.scales(x)[1:]

    @torch.no_grad()
    def gates(self, x: Tensor) -> dict[str, Tensor]:
        """The gates of "arm16" and "arm32" for these images; {} without attention."""
        if self.attention == "none":
            return {}
        look: Any = copy.deepcopy(self)
        _, f16, f32 = look.resnet(x)
        return {"arm16": look.arm16.gate(f16), "arm32": look.arm32.gate(f32)}


class SinglePath(ContextPath):
    """x (N, 3, H, W)  ->  the trunk's features at 1/8, then those of `ContextPath`."""

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        return self.scales(x)
