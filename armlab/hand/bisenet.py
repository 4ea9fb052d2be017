"""BiSeNet: where things are, from the spatial path; what they are, from the context path."""

from __future__ import annotations

from typing import Unpack

from armlab.arrays import Array
from armlab.hand.add import collect
from armlab.hand.backward import Backward, Grads, join
from armlab.hand.bisenet_output import BiSeNetOutput, expect_heads, heads_of, run_heads
from armlab.hand.context_path import ContextPath
from armlab.hand.expect import whole
from armlab.hand.feature_fusion import (
    FeatureFusionModule,
    RectifiedFeatureFusion,
    SingleLayerFeatureFusion,
)
from armlab.hand.made import Made, settled
from armlab.hand.module import Module
from armlab.hand.spatial_path import SpatialPath


class BiSeNet(Module):
    """The whole network on ResNet-18 (arXiv 1808.00897), as CoinCheung/BiSeNet builds it.

    x    (N, 3, H, W)        an image of any size
    y    (N, classes, H, W)  logits;  in training mode (y, y8, y16), two auxiliary ones more

        c8, c16 = ContextPath(x),   f = FFM(SpatialPath(x), c8)         (1)
        y = head(f)↑,   y8 = head(c8)↑,   y16 = head(c16)↑              (2)

    ↑ resizes bilinearly to the size of x. The auxiliary heads are trained with weight 1 and not
    run in evaluation mode.

    reduction      of the fusion's two layers: 1 in TorchSeg; None is CoinCheung's single layer
    mid_channels   inside the main head and inside the auxiliary ones; (64, 256) in TorchSeg
    width          W₀ of the paths: 64, as the channels of the ResNet-18 stem
    attention      what refines the context path's features, by its name in `refinement`
    mode           how the context path resizes: "nearest"; "bilinear" in TorchSeg
    align_corners  of every bilinear resize: true in TorchSeg and in CoinCheung's until 2020
    bias           of the heads' last convolution: none in CoinCheung's until 2020

    `weights.network` builds what a file was trained as. Raises ValueError for a batch of 1 in
    training mode: the ARMs pool to one value.
    """

    def __init__(
        self,
        classes: int = 19,
        reduction: int | None = None,
        mid_channels: tuple[int, int] = (256, 64),
        width: int = 64,
        attention: str = "arm",
        mode: str = "nearest",
        align_corners: bool = False,
        bias: bool = True,
        **made: Unpack[Made],
    ) -> None:
        made = settled(self, made)
        classes, width = whole(type(self).__name__, classes=classes, width=width)
        main, auxiliary = expect_heads(type(self).__name__, mid_channels)
        self.classes, self.reduction, self.mid_channels = classes, reduction, (main, auxiliary)
        self.width, self.attention, self.align_corners = width, attention, align_corners
        self.cp = ContextPath(width, attention, mode, align_corners, **made)
        self.sp = SpatialPath(width, **made)
        self.ffm = self._fusion(4 * width, reduction, **made)
        self.conv_out = BiSeNetOutput(4 * width, main, classes, bias, **made)
        self.conv_out16 = BiSeNetOutput(2 * width, auxiliary, classes, bias, **made)
        self.conv_out32 = BiSeNetOutput(2 * width, auxiliary, classes, bias, **made)

    def _fusion(
        self, channels: int, reduction: int | None, **made: Unpack[Made]
    ) -> FeatureFusionModule:
        if reduction is None:
            return SingleLayerFeatureFusion(channels, channels, **made)
        return FeatureFusionModule(channels, channels, reduction, **made)

    def forward(self, x: Array) -> tuple[Array | tuple[Array, ...], Backward]:
        (c8, c16), cp_back = self.cp(x)
        s, sp_back = self.sp(x)
        f, ffm_back = self.ffm(s, c8)  # (1)
        auxiliary = {"conv_out16": c8, "conv_out32": c16} if self.training else {}
        features = {"conv_out": f} | auxiliary
        ys, heads_back = run_heads(heads_of(self), features, x.shape[2:], self.align_corners)  # (2)
        training = self.training

        def backward(
            dy: Array | tuple[Array | None, ...], input_grad: bool = True
        ) -> tuple[Array | None, Grads]:
            df, d_heads = heads_back(dy if training else (dy,))
            ds, dc8, d_ffm = ffm_back(df["conv_out"])
            if training:
                dc8 = collect(dc8, df["conv_out16"])  # c8 is fused, and has a head of its own
            dx_sp, d_sp = sp_back(ds, input_grad=input_grad)
            dx_cp, d_cp = cp_back((dc8, df.get("conv_out32")), input_grad=input_grad)
            dx = collect(dx_sp, dx_cp) if input_grad else None  # x is used twice
            return dx, join(cp=d_cp, sp=d_sp, ffm=d_ffm) | d_heads

        return (ys if training else ys[0]), backward

    def gates(self, x: Array) -> dict[str, Array]:
        """The gates of the context path's refinements: see `ContextPath.gates`."""
        return self.cp.gates(x)


class RectifiedBiSeNet(BiSeNet):
    """BiSeNet as mmsegmentation 1.2.2 builds it, with the `RectifiedFeatureFusion`."""

    def __init__(
        self,
        classes: int = 19,
        mid_channels: tuple[int, int] = (256, 64),
        width: int = 64,
        attention: str = "arm",
        align_corners: bool = False,
        **made: Unpack[Made],
    ) -> None:
        super().__init__(
            *(classes, None, mid_channels, width, attention),
            align_corners=align_corners,
            **made,
        )

    def _fusion(
        self, channels: int, reduction: int | None, **made: Unpack[Made]
    ) -> FeatureFusionModule:
        return RectifiedFeatureFusion(channels, channels, **made)


class ToyBiSeNet(BiSeNet):
    """BiSeNet at an eighth of its width, to be trained on a laptop: 8 channels in its stem."""

    def __init__(
        self, classes: int = 3, width: int = 8, attention: str = "arm", **made: Unpack[Made]
    ) -> None:
        (width,) = whole(type(self).__name__, width=width)
        super().__init__(classes, None, (4 * width, width), width, attention, **made)
