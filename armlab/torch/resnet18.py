"""ResNet-18 without its classifier: the trunk of BiSeNet's context path."""

from torch import Tensor, nn

from armlab.torch.batch_norm import BatchNorm2d
from armlab.torch.conv2d import Conv2d
from armlab.torch.max_pool2d import max_pool2d
from armlab.torch.relu import relu


class BasicBlock(nn.Module):
    """Two 3×3 convolutions and the way around them: (N, C, H, W) -> (N, K, ⌈H/t⌉, ⌈W/t⌉)."""

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = Conv2d(in_channels, out_channels, 3, stride, 1, bias=False)
        self.bn1 = BatchNorm2d(out_channels)
        self.conv2 = Conv2d(out_channels, out_channels, 3, 1, 1, bias=False)
        self.bn2 = BatchNorm2d(out_channels)
        self.downsample = None
        if stride != 1 or in_channels != out_channels:
            self.downsample = nn.Sequential(
                Conv2d(in_channels, out_channels, 1, stride, bias=False), BatchNorm2d(out_channels)
            )

    def forward(self, x: Tensor) -> Tensor:
        h = relu(self.bn1(self.conv1(x)))
        r = self.bn2(self.conv2(h))
        return relu(r + (x if self.downsample is None else self.downsample(x)))


class ResNet18(nn.Module):
    """x (N, 3, H, W)  ->  features at 1/8, 1/16, 1/32, with 2, 4 and 8 times `width` channels."""

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        self.conv1 = Conv2d(3, width, 7, 2, 3, bias=False)
        self.bn1 = BatchNorm2d(width)
        self.layer1 = _two_blocks(width, width, 1)
        self.layer2 = _two_blocks(width, 2 * width, 2)
        self.layer3 = _two_blocks(2 * width, 4 * width, 2)
        self.layer4 = _two_blocks(4 * width, 8 * width, 2)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        h = max_pool2d(relu(self.bn1(self.conv1(x))), kernel_size=3, stride=2, padding=1)
        f8 = self.layer2(self.layer1(h))
        f16 = self.layer3(f8)
        return f8, f16, self.layer4(f16)


def _two_blocks(in_channels: int, out_channels: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        BasicBlock(in_channels, out_channels, stride), BasicBlock(out_channels, out_channels)
    )
