"""The article's three scales: ARM32, ARM16 and ARM8, fused from the deepest to the finest."""

import torch
from torch import Tensor, nn

from armlab.torch.attention_refinement import AttentionRefinementModule
from armlab.torch.conv_bn_act import ConvBN, ConvBNAct
from armlab.torch.resize import resize_bilinear
from armlab.torch.resnet18 import ResNet18
from armlab.torch.sigmoid_gate import sigmoid_gate


class ThreeScaleContextPath(nn.Module):
    """x (N, 3, H, W)  ->  features at 1/8, and those of ARM16; each with 2 width channels."""

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        wide = 2 * width
        self.resnet = ResNet18(width)
        self.arm32 = AttentionRefinementModule(8 * width, wide)
        self.arm16 = AttentionRefinementModule(4 * width, wide)
        self.arm8 = AttentionRefinementModule(2 * width, wide)
        self.sp16 = ConvBNAct(2 * wide, wide, 1, padding=0, activation="leaky_relu")
        self.sp8 = ConvBNAct(2 * wide, wide, 1, padding=0, activation="leaky_relu")
        self.conv_head32 = ConvBNAct(wide, wide, activation="leaky_relu")
        self.conv_head16 = ConvBNAct(wide, wide, activation="leaky_relu")
        self.conv_fuse1 = ConvBN(wide, wide, 1, padding=0)
        self.conv_fuse2 = ConvBN(wide, wide, 1, padding=0)
        self.conv_fuse = ConvBNAct(wide, wide, 1, padding=0, activation="leaky_relu")

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        f8, f16, f32 = self.resnet(x)
        size8, size16 = f8.shape[2:], f16.shape[2:]
        r32, r16, r8 = self.arm32(f32), self.arm16(f16), self.arm8(f8)
        h32 = self.conv_head32(resize_bilinear(r32, size=size16))
        m16 = resize_bilinear(self.sp16(torch.cat([h32, r16], dim=1)), size=size8)
        h16 = self.conv_head16(resize_bilinear(r16, size=size8))
        m8 = self.sp8(torch.cat([h16, r8], dim=1))
        g16 = sigmoid_gate(m16, self.conv_fuse1(resize_bilinear(r32, size=size8)))
        g8 = sigmoid_gate(m8, self.conv_fuse2(g16))
        return self.conv_fuse(g8), r16
