"""ResNet-18 without its classifier: the trunk of BiSeNet's context path."""

from __future__ import annotations

from typing import Unpack

from armlab.arrays import Array
from armlab.hand import kernels
from armlab.hand.add import add, collect
from armlab.hand.backward import Backward, Grads, fill_unused, join
from armlab.hand.batch_norm import BatchNorm2d
from armlab.hand.batch_norm_activated import activated
from armlab.hand.conv2d import Conv2d
from armlab.hand.expect import whole
from armlab.hand.made import Made, settled
from armlab.hand.max_pool2d import max_pool2d
from armlab.hand.module import Module
from armlab.hand.relu import relu
from armlab.hand.sequential import Sequential


class BasicBlock(Module):
    """Two 3×3 convolutions and the way around them.

    x  (N, C, H, W)
    y  (N, K, ⌈H/t⌉, ⌈W/t⌉)     t = stride

        h = ReLU(BN₁(conv₁(x)))                                         (1)
        r = BN₂(conv₂(h))                                               (2)
        d = x, or BN(conv1×1(x)) where x and r differ in shape          (3)
        y = ReLU(r + d)                                                 (4)
    """

    def __init__(
        self, in_channels: int, out_channels: int, stride: int = 1, **made: Unpack[Made]
    ) -> None:
        made = settled(self, made)
        (stride,) = whole(type(self).__name__, stride=stride)
        self.in_channels = in_channels
        self.conv1 = Conv2d(in_channels, out_channels, 3, stride, 1, bias=False, **made)
        self.bn1 = BatchNorm2d(out_channels, **made)
        self.conv2 = Conv2d(out_channels, out_channels, 3, 1, 1, bias=False, **made)
        self.bn2 = BatchNorm2d(out_channels, **made)
        self.downsample = None
        if stride != 1 or in_channels != out_channels:
            self.downsample = Sequential(
                Conv2d(in_channels, out_channels, 1, stride, bias=False, **made),
                BatchNorm2d(out_channels, **made),
            )

    def forward(self, x: Array) -> tuple[Array, Backward]:
        self.expect_features(x, self.in_channels, "in_channels")
        u, conv1_back = self.conv1(x)
        h, bn1_relu_back = activated(self.bn1, u, "relu")  # (1)
        p, conv2_back = self.conv2(h)
        r, bn2_back = self.bn2(p)  # (2)
        d, around_back = self.downsample(x) if self.downsample else (x, None)  # (3)
        y, meet_back = add_relu(r, d)  # (4)

        def backward(dy: Array) -> tuple[Array, Grads]:
            dr, dd = meet_back(dy)
            dx_around, d_around = around_back(dd) if around_back else (dd, {})
            dp, d_bn2 = bn2_back(dr)
            dh, d_conv2 = conv2_back(dp)
            du, d_bn1 = bn1_relu_back(dh)
            dx, d_conv1 = conv1_back(du)
            grads = join(conv1=d_conv1, bn1=d_bn1, conv2=d_conv2, bn2=d_bn2, downsample=d_around)
            return collect(dx, dx_around), grads  # x is used twice

        return y, backward


def add_relu(r: Array, d: Array) -> tuple[Array, Backward]:
    """ReLU(r + d); in one pass where the table has a kernel for both.  backward gives (dr, dd)."""
    if kernel := kernels.choose("add_relu", r, d, add, relu):
        return kernel(r, d, add, relu)
    s, add_back = add(r, d)
    y, relu_back = relu(s)

    def backward(dy: Array) -> tuple[Array, Array]:
        return add_back(relu_back(dy))

    return y, backward


class ResNet18(Module):
    """Features at 1/8, 1/16 and 1/32 of the image, by four pairs of `BasicBlock`.

    x    (N, 3, H, W)
    f8   (N, 2W₀, H/8, W/8)       sizes are rounded up at every step of stride 2
    f16  (N, 4W₀, H/16, W/16)
    f32  (N, 8W₀, H/32, W/32)     W₀ = width, 64 in the original

        h   = maxpool3×3(ReLU(BN(conv7×7(x))))     both with stride 2   (1)
        f8  = layer2(layer1(h)),   f16 = layer3(f8),   f32 = layer4(f16)     (2)

    Keys are those of torchvision, without fc.
    """

    def __init__(self, width: int = 64, **made: Unpack[Made]) -> None:
        made = settled(self, made)
        (width,) = whole(type(self).__name__, width=width)
        self.conv1 = Conv2d(3, width, 7, 2, 3, bias=False, **made)
        self.bn1 = BatchNorm2d(width, **made)
        self.layer1 = _two_blocks(width, width, 1, **made)
        self.layer2 = _two_blocks(width, 2 * width, 2, **made)
        self.layer3 = _two_blocks(2 * width, 4 * width, 2, **made)
        self.layer4 = _two_blocks(4 * width, 8 * width, 2, **made)

    def forward(self, x: Array) -> tuple[tuple[Array, Array, Array], Backward]:
        self.expect_features(x, 3)
        u, conv1_back = self.conv1(x)
        r, bn1_relu_back = activated(self.bn1, u, "relu")
        h, pool_back = max_pool2d(r, kernel_size=3, stride=2, padding=1)  # (1)
        f4, layer1_back = self.layer1(h)
        f8, layer2_back = self.layer2(f4)
        f16, layer3_back = self.layer3(f8)
        f32, layer4_back = self.layer4(f16)  # (2)
        shapes = None, None, f32.shape  # f8 and f16 are used within as well

        def backward(
            dy: tuple[Array | None, ...], input_grad: bool = True
        ) -> tuple[Array | None, Grads]:
            df8, df16, df32 = fill_unused(dy, shapes)
            df16_deeper, d_layer4 = layer4_back(df32)
            df16 = collect(df16, df16_deeper)  # f16 is an output, and the input of layer4
            df8_deeper, d_layer3 = layer3_back(df16)
            df8 = collect(df8, df8_deeper)
            df4, d_layer2 = layer2_back(df8)
            dh, d_layer1 = layer1_back(df4)
            du, d_bn1 = bn1_relu_back(pool_back(dh))
            dx, d_conv1 = conv1_back(du, input_grad=input_grad)
            stem = join(conv1=d_conv1, bn1=d_bn1)
            return dx, stem | join(
                layer1=d_layer1, layer2=d_layer2, layer3=d_layer3, layer4=d_layer4
            )

        return (f8, f16, f32), backward


def _two_blocks(
    in_channels: int, out_channels: int, stride: int, **made: Unpack[Made]
) -> Sequential:
    return Sequential(
        BasicBlock(in_channels, out_channels, stride, **made),
        BasicBlock(out_channels, out_channels, **made),
    )
