"""BiSeNet: where things are, from the spatial path; what they are, from the context path."""

import torch
from torch import Tensor, nn

from armlab.torch.bisenet_output import BiSeNetOutput
from armlab.torch.context_path import ContextPath
from armlab.torch.feature_fusion import FeatureFusionModule, SingleLayerFeatureFusion
from armlab.torch.resize import resize_bilinear
from armlab.torch.spatial_path import SpatialPath


class BiSeNet(nn.Module):
    """x (N, 3, H, W)  ->  logits (N, classes, H, W); in training mode two auxiliary ones more."""

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
    ) -> None:
        super().__init__()
        main, auxiliary = mid_channels
        self.align_corners = align_corners
        self.cp = ContextPath(width, attention, mode, align_corners)
        self.sp = SpatialPath(width)
        self.ffm = (
            SingleLayerFeatureFusion(4 * width, 4 * width)
            if reduction is None
            else FeatureFusionModule(4 * width, 4 * width, reduction)
        )
        self.conv_out = BiSeNetOutput(4 * width, main, classes, bias)
        self.conv_out16 = BiSeNetOutput(2 * width, auxiliary, classes, bias)
        self.conv_out32 = BiSeNetOutput(2 * width, auxiliary, classes, bias)

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, Tensor, Tensor]:
        c8, c16 = self.cp(x)
        y = self.resized(self.conv_out(self.ffm(self.sp(x), c8)), x)
        if not self.training:
            return y
        return y, self.resized(self.conv_out16(c8), x), self.resized(self.conv_out32(c16), x)

    def resized(self, logits: Tensor, x: Tensor) -> Tensor:
        size = x.shape[2], x.shape[3]
        return resize_bilinear(logits, size=size, align_corners=self.align_corners)

    @torch.no_grad()
    def gates(self, x: Tensor) -> dict[str, Tensor]:
        """The gates of the context path's refinements: see `ContextPath.gates`."""
        return self.cp.gates(x)


class ToyBiSeNet(BiSeNet):
    """BiSeNet at an eighth of its width."""

    def __init__(self, classes: int = 3, width: int = 8, attention: str = "arm") -> None:
        super().__init__(classes, None, (4 * width, width), width, attention)
