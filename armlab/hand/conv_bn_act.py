"""Convolution, batch normalisation, activation: the unit that segmentation networks repeat."""

from __future__ import annotations

from typing import Unpack

from armlab.arrays import Array
from armlab.hand.backward import Backward, Grads, join
from armlab.hand.batch_norm import BatchNorm2d
from armlab.hand.batch_norm_activated import activated, expect_activation
from armlab.hand.conv2d import Conv2d
from armlab.hand.made import Made, settled
from armlab.hand.module import Module
from armlab.hand.window import Pair


class ConvBN(Module):
    """y = BN(w ∗ x); no bias, as batch normalisation has one.

    x  (N, C, H, W)  ->  y  (N, K, OH, OW), the sizes of `conv2d`
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | Pair = 3,
        stride: int | Pair = 1,
        padding: int | Pair = 1,
        **made: Unpack[Made],
    ) -> None:
        made = settled(self, made)
        self.conv = Conv2d(
            in_channels, out_channels, kernel_size, stride, padding, bias=False, **made
        )
        self.bn = BatchNorm2d(out_channels, **made)

    def forward(self, x: Array) -> tuple[Array, Backward]:
        u, conv_back = self.conv(x)
        y, bn_back = self.normalised(u)

        def backward(dy: Array, input_grad: bool = True) -> tuple[Array | None, Grads]:
            du, d_bn = bn_back(dy)
            dx, d_conv = conv_back(du, input_grad=input_grad)
            return dx, join(conv=d_conv, bn=d_bn)

        return y, backward

    def normalised(self, u: Array) -> tuple[Array, Backward]:
        """What follows the convolution."""
        return self.bn(u)


class ConvBNAct(ConvBN):
    """y = act(BN(w ∗ x)), where activation is "relu" or "leaky_relu" (slope 0.01).

    x  (N, C, H, W)  ->  y  (N, K, OH, OW), the sizes of `conv2d`

    Raises ValueError for another activation.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | Pair = 3,
        stride: int | Pair = 1,
        padding: int | Pair = 1,
        activation: str = "relu",
        **made: Unpack[Made],
    ) -> None:
        made = settled(self, made)
        expect_activation("ConvBNAct", activation)
        self.activation = activation
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, **made)

    def normalised(self, u: Array) -> tuple[Array, Backward]:
        return activated(self.bn, u, self.activation)

    def extra_repr(self) -> str:
        return f"activation={self.activation}"
