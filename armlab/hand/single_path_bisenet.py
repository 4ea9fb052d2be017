"""BiSeNet without a spatial path: the detail comes from the trunk, on its way to the context."""

from __future__ import annotations

from typing import Unpack

from armlab.arrays import Array
from armlab.hand.add import collect
from armlab.hand.backward import Backward, Grads, join
from armlab.hand.bisenet_output import BiSeNetOutput, expect_heads, heads_of, run_heads
from armlab.hand.context_path import SinglePath
from armlab.hand.expect import expect_flags, whole
from armlab.hand.feature_fusion import FeatureFusionModule
from armlab.hand.made import Made, settled
from armlab.hand.module import Module


class SinglePathBiSeNet(Module):
    """The network of zllrunning/face-parsing.PyTorch and, on sides that 32 divides, of pytorchcv.

    x    (N, 3, H, W)        an image of any size
    y    (N, classes, H, W)  logits;  in training mode (y, y8, y16), two auxiliary ones more

        f8, c8, c16 = SinglePath(x),   f = FFM(f8, c8)                  (1)
        y = head(f)↑,   y8 = head(c8)↑,   y16 = head(c16)↑              (2)

    ↑ resizes bilinearly to the size of x. Arguments are those of `BiSeNet`, with the defaults of
    these two; keys are face-parsing.PyTorch's. Raises ValueError for a batch of 1 in training
    mode: the ARMs pool to one value.
    """

    def __init__(
        self,
        classes: int = 19,
        reduction: int = 4,
        mid_channels: tuple[int, int] = (256, 64),
        width: int = 64,
        attention: str = "arm",
        align_corners: bool = True,
        bias: bool = False,
        **made: Unpack[Made],
    ) -> None:
        made = settled(self, made)
        expect_flags(type(self).__name__, align_corners=align_corners)
        classes, width = whole(type(self).__name__, classes=classes, width=width)
        main, auxiliary = expect_heads(type(self).__name__, mid_channels)
        self.classes, self.reduction, self.mid_channels = classes, reduction, (main, auxiliary)
        self.width, self.attention, self.align_corners = width, attention, align_corners
        self.cp = SinglePath(width, attention, **made)
        self.ffm = FeatureFusionModule(4 * width, 4 * width, reduction, **made)
        self.conv_out = BiSeNetOutput(4 * width, main, classes, bias, **made)
        self.conv_out16 = BiSeNetOutput(2 * width, auxiliary, classes, bias, **made)
        self.conv_out32 = BiSeNetOutput(2 * width, auxiliary, classes, bias, **made)

    def forward(self, x: Array) -> tuple[Array | tuple[Array, ...], Backward]:
        (f8, c8, c16), cp_back = self.cp(x)
        f, ffm_back = self.ffm(f8, c8)  # (1)
        auxiliary = {"conv_out16": c8, "conv_out32": c16} if self.training else {}
        features = {"conv_out": f} | auxiliary
        ys, heads_back = run_heads(heads_of(self), features, x.shape[2:], self.align_corners)  # (2)
        training = self.training

        def backward(
            dy: Array | tuple[Array | None, ...], input_grad: bool = True
        ) -> tuple[Array | None, Grads]:
            df, d_heads = heads_back(dy if training else (dy,))
            df8, dc8, d_ffm = ffm_back(df["conv_out"])
            if training:
                dc8 = collect(dc8, df["conv_out16"])  # c8 is fused, and has a head of its own
            dx, d_cp = cp_back((df8, dc8, df.get("conv_out32")), input_grad=input_grad)
            return dx, join(cp=d_cp, ffm=d_ffm) | d_heads

        return (ys if training else ys[0]), backward

    def gates(self, x: Array) -> dict[str, Array]:
        """The gates of the path's refinements: see `ContextPath.gates`."""
        return self.cp.gates(x)
