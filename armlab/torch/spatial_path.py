"""The spatial path: three strided convolutions, which keep the detail that the trunk loses."""

from torch import Tensor, nn

from armlab.torch.conv_bn_act import ConvBNAct


class SpatialPath(nn.Module):
    """x (N, 3, H, W)  ->  (N, 2 width, ⌈H/8⌉, ⌈W/8⌉)"""

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        self.conv1 = ConvBNAct(3, width, 7, 2, 3)
        self.conv2 = ConvBNAct(width, width, 3, 2, 1)
        self.conv3 = ConvBNAct(width, width, 3, 2, 1)
        self.conv_out = ConvBNAct(width, 2 * width, 1, padding=0)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.conv_out(self.conv3(self.conv2(self.conv1(x))))
        return y
