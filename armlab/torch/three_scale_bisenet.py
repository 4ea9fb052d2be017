"""The article's network: the context path of three scales, and a head."""

from torch import Tensor, nn

from armlab.torch.bisenet_output import BiSeNetOutput
from armlab.torch.resize import resize_bilinear
from armlab.torch.three_scale_context_path import ThreeScaleContextPath


class ThreeScaleBiSeNet(nn.Module):
    """x (N, 3, H, W)  ->  logits (N, classes, H, W); in training mode a second map, from ARM16."""

    def __init__(self, classes: int = 9, width: int = 64, align_corners: bool = True) -> None:
        super().__init__()
        self.align_corners = align_corners
        self.cp = ThreeScaleContextPath(width)
        self.conv_out = BiSeNetOutput(2 * width, 2 * width, classes, False, "leaky_relu")
        self.conv_out16 = BiSeNetOutput(2 * width, width, classes, False, "leaky_relu")

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        c8, c16 = self.cp(x)
        y = self.resized(self.conv_out(c8), x)
        if not self.training:
            return y
        return y, self.resized(self.conv_out16(c16), x)

    def resized(self, logits: Tensor, x: Tensor) -> Tensor:
        size = x.shape[2], x.shape[3]
        return resize_bilinear(logits, size=size, align_corners=self.align_corners)
