"""BiSeNet's head: from features to one logit per class, still at the size of the features."""

from torch import Tensor, nn

from armlab.torch.conv2d import Conv2d
from armlab.torch.conv_bn_act import ConvBNAct


class BiSeNetOutput(nn.Module):
    """y = conv1×1(act(BN(conv3×3(x)))): (N, C, H, W) -> (N, classes, H, W)."""

    def __init__(
        self,
        in_channels: int,
        mid_channels: int,
        classes: int,
        bias: bool = True,
        activation: str = "relu",
    ) -> None:
        super().__init__()
        self.conv = ConvBNAct(in_channels, mid_channels, activation=activation)
        self.conv_out = Conv2d(mid_channels, classes, 1, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.conv_out(self.conv(x))
        return y
