"""The article's network: the context path of three scales, and a head."""

from __future__ import annotations

from typing import Any, Unpack

from armlab.arrays import Array
from armlab.hand.backward import Backward, Grads, join
from armlab.hand.bisenet_output import BiSeNetOutput, heads_of, run_heads
from armlab.hand.expect import expect_flags, whole
from armlab.hand.made import Made, settled
from armlab.hand.module import Module
from armlab.hand.three_scale_context_path import ThreeScaleContextPath


class ThreeScaleBiSeNet(Module):
    """The article's network: `ThreeScaleContextPath` and one head, in training a second one.

    x    (N, 3, H, W)        an image of any size
    y    (N, classes, H, W)  logits;  in training mode (y, y16), y16 from ARM16

    Heads resize their logits bilinearly to the image, with corners aligned as in
    Linfeng-Tang/SeAFusion, whose keys these are; inside the path they are not, there or here.
    """

    def __init__(
        self,
        classes: int = 9,
        width: int = 64,
        align_corners: bool = True,
        **made: Unpack[Made],
    ) -> None:
        made = settled(self, made)
        expect_flags(type(self).__name__, align_corners=align_corners)
        classes, width = whole(type(self).__name__, classes=classes, width=width)
        head: dict[str, Any] = {"bias": False, "activation": "leaky_relu", **made}
        self.align_corners = align_corners
        self.cp = ThreeScaleContextPath(width, **made)
        self.conv_out = BiSeNetOutput(2 * width, 2 * width, classes, **head)
        self.conv_out16 = BiSeNetOutput(2 * width, width, classes, **head)

    def forward(self, x: Array) -> tuple[Array | tuple[Array, ...], Backward]:
        (c8, c16), cp_back = self.cp(x)
        features = {"conv_out": c8, "conv_out16": c16} if self.training else {"conv_out": c8}
        ys, heads_back = run_heads(heads_of(self), features, x.shape[2:], self.align_corners)
        training = self.training

        def backward(
            dy: Array | tuple[Array | None, ...], input_grad: bool = True
        ) -> tuple[Array | None, Grads]:
            dc, d_heads = heads_back(dy if training else (dy,))
            dx, d_cp = cp_back((dc["conv_out"], dc.get("conv_out16")), input_grad=input_grad)
            return dx, join(cp=d_cp) | d_heads

        return (ys if training else ys[0]), backward
