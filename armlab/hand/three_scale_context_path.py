"""The article's three scales: ARM32, ARM16 and ARM8, fused from the deepest to the finest.

SeAFusion's variant of BiSeNet, from which the article's code comes: no spatial path and no global
context, but a third ARM and two gates between the scales.
"""

from __future__ import annotations

from typing import Any, Unpack

from armlab.arrays import Array
from armlab.hand.add import collect
from armlab.hand.attention_refinement import AttentionRefinementModule
from armlab.hand.backward import Backward, Grads, fill_unused, join
from armlab.hand.concat_channels import concat_channels
from armlab.hand.conv_bn_act import ConvBN, ConvBNAct
from armlab.hand.expect import whole
from armlab.hand.made import Made, settled
from armlab.hand.module import Module
from armlab.hand.resize import resize_bilinear
from armlab.hand.resnet18 import ResNet18
from armlab.hand.sigmoid_gate import sigmoid_gate


class ThreeScaleContextPath(Module):
    """Features at 1/8 of the image, in which each scale is gated by the deeper one.

    x    (N, 3, H, W)
    y8   (N, 2W₀, H/8, W/8)       sizes are those of `ResNet18`, W₀ = width
    y16  (N, 2W₀, H/16, W/16)

        f8, f16, f32 = ResNet18(x)                                      (1)
        r32 = ARM32(f32),   y16 = r16 = ARM16(f16),   r8 = ARM8(f8)     (2)
        m16 = conv1×1([conv3×3(r32↑) ; r16])↑                           (3)
        m8  = conv1×1([conv3×3(r16↑) ; r8])                             (4)
        g16 = m16 σ(BN(conv1×1(r32↑)))                                  (5)
        g8  = m8 σ(BN(conv1×1(g16)))                                    (6)
        y8  = conv1×1(g8)                                               (7)

    ↑ resizes bilinearly, corners not aligned, to the size of the map that it meets. Convolutions of
    (3), (4) and (7) with BN and LeakyReLU. Keys are those of Linfeng-Tang/SeAFusion.
    Raises ValueError for a batch of 1 in training mode: the ARMs pool to one value.
    """

    def __init__(self, width: int = 64, **made: Unpack[Made]) -> None:
        made = settled(self, made)
        (width,) = whole(type(self).__name__, width=width)
        leaky: dict[str, Any] = {"activation": "leaky_relu", **made}
        wide = 2 * width
        self.resnet = ResNet18(width, **made)
        self.arm32 = AttentionRefinementModule(8 * width, wide, **made)
        self.arm16 = AttentionRefinementModule(4 * width, wide, **made)
        self.arm8 = AttentionRefinementModule(2 * width, wide, **made)
        self.sp16 = ConvBNAct(2 * wide, wide, 1, padding=0, **leaky)
        self.sp8 = ConvBNAct(2 * wide, wide, 1, padding=0, **leaky)
        self.conv_head32 = ConvBNAct(wide, wide, **leaky)
        self.conv_head16 = ConvBNAct(wide, wide, **leaky)
        self.conv_fuse1 = ConvBN(wide, wide, 1, padding=0, **made)
        self.conv_fuse2 = ConvBN(wide, wide, 1, padding=0, **made)
        self.conv_fuse = ConvBNAct(wide, wide, 1, padding=0, **leaky)

    def forward(self, x: Array) -> tuple[tuple[Array, Array], Backward]:
        self.expect_features(x, 3)
        (f8, f16, f32), resnet_back = self.resnet(x)  # (1)
        size8, size16 = f8.shape[2:], f16.shape[2:]
        r32, arm32_back = self.arm32(f32)
        r16, arm16_back = self.arm16(f16)
        r8, arm8_back = self.arm8(f8)  # (2)

        up32, up32_back = resize_bilinear(r32, size=size16)
        h32, head32_back = self.conv_head32(up32)
        c16, concat16_back = concat_channels(h32, r16)
        p16, sp16_back = self.sp16(c16)
        m16, up_m16_back = resize_bilinear(p16, size=size8)  # (3)

        up16, up16_back = resize_bilinear(r16, size=size8)
        h16, head16_back = self.conv_head16(up16)
        c8, concat8_back = concat_channels(h16, r8)
        m8, sp8_back = self.sp8(c8)  # (4)

        far32, far32_back = resize_bilinear(r32, size=size8)
        a16, fuse1_back = self.conv_fuse1(far32)
        g16, gate16_back = sigmoid_gate(m16, a16)  # (5)
        a8, fuse2_back = self.conv_fuse2(g16)
        g8, gate8_back = sigmoid_gate(m8, a8)  # (6)
        y8, fuse_back = self.conv_fuse(g8)  # (7)
        shapes = y8.shape, r16.shape

        def backward(
            dy: tuple[Array | None, Array | None], input_grad: bool = True
        ) -> tuple[Array | None, Grads]:
            dy8, dy16 = fill_unused(dy, shapes)
            dg8, d_fuse = fuse_back(dy8)
            dm8, da8 = gate8_back(dg8)
            dg16, d_fuse2 = fuse2_back(da8)
            dm16, da16 = gate16_back(dg16)
            dfar32, d_fuse1 = fuse1_back(da16)

            dc8, d_sp8 = sp8_back(dm8)
            dh16, dr8 = concat8_back(dc8)
            dup16, d_head16 = head16_back(dh16)

            dc16, d_sp16 = sp16_back(up_m16_back(dm16))
            dh32, dr16 = concat16_back(dc16)
            dup32, d_head32 = head32_back(dh32)

            df8, d_arm8 = arm8_back(dr8)
            dr16 = collect(dr16, up16_back(dup16), dy16)  # r16 is used three times
            df16, d_arm16 = arm16_back(dr16)
            dr32 = collect(far32_back(dfar32), up32_back(dup32))  # and r32 twice
            df32, d_arm32 = arm32_back(dr32)
            dx, d_resnet = resnet_back((df8, df16, df32), input_grad=input_grad)
            return dx, join(
                resnet=d_resnet,
                arm32=d_arm32,
                arm16=d_arm16,
                arm8=d_arm8,
                sp16=d_sp16,
                sp8=d_sp8,
                conv_head32=d_head32,
                conv_head16=d_head16,
                conv_fuse1=d_fuse1,
                conv_fuse2=d_fuse2,
                conv_fuse=d_fuse,
            )

        return (y8, r16), backward
