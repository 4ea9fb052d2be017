"""Convolution, batch normalisation, activation: the unit that segmentation networks repeat."""

from torch import Tensor, nn

from armlab.torch.batch_norm import BatchNorm2d
from armlab.torch.conv2d import Conv2d
from armlab.torch.leaky_relu import leaky_relu
from armlab.torch.relu import relu

ACTIVATIONS = {"relu": relu, "leaky_relu": leaky_relu}


class ConvBN(nn.Module):
    """y = BN(w ∗ x), without bias."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int] = 3,
        stride: int | tuple[int, int] = 1,
        padding: int | tuple[int, int] = 1,
    ) -> None:
        super().__init__()
        self.conv = Conv2d(in_channels, out_channels, kernel_size, stride, padding, bias=False)
        self.bn = BatchNorm2d(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.bn(self.conv(x))
        return y


class ConvBNAct(ConvBN):
    """y = act(BN(w ∗ x)), activation "relu" or "leaky_relu" (slope 0.01)."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int] = 3,
        stride: int | tuple[int, int] = 1,
        padding: int | tuple[int, int] = 1,
        activation: str = "relu",
    ) -> None:
        super().__init__(in_channels, out_channels, kernel_size, stride, padding)
        if activation not in ACTIVATIONS:
            raise ValueError(f"expected activation 'relu' or 'leaky_relu', got {activation!r}")
        self.activation = activation

    def forward(self, x: Tensor) -> Tensor:
        return ACTIVATIONS[self.activation](super().forward(x))

    def extra_repr(self) -> str:
        return f"activation={self.activation}"
