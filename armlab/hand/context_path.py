"""BiSeNet's context path: a trunk, an ARM at 1/32 and at 1/16, and the mean of the whole image."""

from __future__ import annotations

from typing import Any, Unpack

from armlab.arrays import Array
from armlab.hand.add import add, collect
from armlab.hand.backward import Backward, Grads, fill_unused, join
from armlab.hand.conv_attention import refinement
from armlab.hand.conv_bn_act import ConvBNAct
from armlab.hand.expect import expect_flags, whole
from armlab.hand.global_avg_pool import global_avg_pool
from armlab.hand.made import Made, settled
from armlab.hand.module import Module
from armlab.hand.resize import resize_bilinear, resize_nearest
from armlab.hand.resnet18 import ResNet18

MODES = ("nearest", "bilinear")


class ContextPath(Module):
    """What the image is about, at 1/8 and at 1/16 of its size.

    x    (N, 3, H, W)
    y8   (N, 2W₀, H/8, W/8)       sizes are those of `ResNet18`, W₀ = width
    y16  (N, 2W₀, H/16, W/16)

        f8, f16, f32 = ResNet18(x)                                      (1)
        g   = conv1×1(GAP(f32))                    the global context   (2)
        y16 = conv3×3((ARM32(f32) + g)↑)           at the size of f16   (3)
        y8  = conv3×3((ARM16(f16) + y16)↑)         at the size of f8    (4)

    Convolutions with BN and ReLU. Each map takes the size of the one that it meets, so any image
    will do, not only those whose sides 32 divides. Keys are those of CoinCheung/BiSeNet.

    attention      names what stands in the place of both ARMs: see `refinement`
    mode           ↑ is `resize_nearest`, "nearest", or `resize_bilinear`, "bilinear"
    align_corners  of the bilinear one; TorchSeg's ↑ is bilinear with aligned corners

    Raises ValueError for another mode, and for a batch of 1 in training mode: (2) and the ARMs
    pool to one value.
    """

    pooled_norm = True

    def __init__(
        self,
        width: int = 64,
        attention: str = "arm",
        mode: str = "nearest",
        align_corners: bool = False,
        **made: Unpack[Made],
    ) -> None:
        made = settled(self, made)
        expect_flags(type(self).__name__, align_corners=align_corners)
        (width,) = whole(type(self).__name__, width=width)
        if mode not in MODES:
            raise ValueError(
                f"{type(self).__name__} expected mode 'nearest' or 'bilinear', got {mode!r}: "
                "choose one of them"
            )
        wide = 2 * width
        self.attention, self.mode, self.align_corners = attention, mode, align_corners
        self.resnet = ResNet18(width, **made)
        self.arm16 = refinement(attention, 4 * width, wide, "relu", **made)
        self.arm32 = refinement(attention, 8 * width, wide, "relu", **made)
        self.conv_head32 = ConvBNAct(wide, wide, **made)
        self.conv_head16 = ConvBNAct(wide, wide, **made)
        self.conv_avg = ConvBNAct(8 * width, wide, 1, padding=0, **made)

    def forward(self, x: Array) -> tuple[tuple[Array, Array], Backward]:
        (_, y8, y16), scales_back = self.scales(x)

        def backward(
            dy: tuple[Array | None, Array | None], input_grad: bool = True
        ) -> tuple[Array | None, Grads]:
            return scales_back((None, *dy), input_grad=input_grad)

        return (y8, y16), backward

    def scales(self, x: Array) -> tuple[tuple[Array, Array, Array], Backward]:
        """f8 of the trunk, y8 and y16; backward takes a gradient of each, or None."""
        self.expect_features(x, 3)
        (f8, f16, f32), resnet_back = self.resnet(x)  # (1)
        z, pool_back = global_avg_pool(f32)
        g, avg_back = self.conv_avg(z)  # (2)
        r32, arm32_back = self.arm32(f32)
        s32, add32_back = add(r32, g)  # g repeats over H and W
        up32, up32_back = self._resized(s32, f16)
        y16, head32_back = self.conv_head32(up32)  # (3)
        r16, arm16_back = self.arm16(f16)
        s16, add16_back = add(r16, y16)
        up16, up16_back = self._resized(s16, f8)
        y8, head16_back = self.conv_head16(up16)  # (4)
        shapes = None, y8.shape, None  # f8 and y16 are used within as well

        def backward(
            dy: tuple[Array | None, Array | None, Array | None], input_grad: bool = True
        ) -> tuple[Array | None, Grads]:
            df8, dy8, dy16 = fill_unused(dy, shapes)
            dup16, d_head16 = head16_back(dy8)
            dr16, dy16_fused = add16_back(up16_back(dup16))
            df16, d_arm16 = arm16_back(dr16)
            dy16 = collect(dy16, dy16_fused)  # y16 is an output, and goes into y8
            dup32, d_head32 = head32_back(dy16)
            dr32, dg = add32_back(up32_back(dup32))
            df32, d_arm32 = arm32_back(dr32)
            dz, d_avg = avg_back(dg)
            df32 = collect(df32, pool_back(dz))  # f32 is refined, and pooled
            dx, d_resnet = resnet_back((df8, df16, df32), input_grad=input_grad)
            return dx, join(
                resnet=d_resnet,
                arm16=d_arm16,
                arm32=d_arm32,
                conv_head32=d_head32,
                conv_head16=d_head16,
                conv_avg=d_avg,
            )

        return (f8, y8, y16), backward

    def _resized(self, x: Array, other: Array) -> tuple[Array, Backward]:
        """x at the height and width of another map."""
        if self.mode == "nearest":
            return resize_nearest(x, size=other.shape[2:])
        return resize_bilinear(x, size=other.shape[2:], align_corners=self.align_corners)

    def gates(self, x: Array) -> dict[str, Array]:
        """The gates of "arm16" and "arm32" for these images; {} without attention.

        (N, 2W₀, 1, 1) of a gate per channel, as ARM's, (N, 1, H', W') per position, (N, C, H', W')
        per element. Keeps running statistics as they are.
        """
        if self.attention == "none":
            return {}
        look: Any = self.copy()
        (_, f16, f32), _ = look.resnet(x)
        return {"arm16": look.arm16.gate(f16), "arm32": look.arm32.gate(f32)}


class SinglePath(ContextPath):
    """`ContextPath`, and in the place of a spatial path the trunk's own features at 1/8.

    x    (N, 3, H, W)
    f8   (N, 2W₀, H/8, W/8)       sizes are those of `ResNet18`, W₀ = width
    y8   (N, 2W₀, H/8, W/8)
    y16  (N, 2W₀, H/16, W/16)

    zllrunning/face-parsing.PyTorch and pytorchcv have it so. Arguments, keys and errors are those
    of `ContextPath`.
    """

    def forward(self, x: Array) -> tuple[tuple[Array, ...], Backward]:
        return self.scales(x)
