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
    ) -> None:
        super().__init__()
        main, auxiliary = mid_channels
        self.cp = ContextPath(width, attention)
        self.sp = SpatialPath(width)
        self.ffm = (
            SingleLayerFeatureFusion(4 * width, 4 * width)
            if reduction is None
            else FeatureFusionModule(4 * width, 4 * width, reduction)
        )
        self.conv_out = BiSeNetOutput(4 * width, main, classes)
        self.conv_out16 = BiSeNetOutput(2 * width, auxiliary, classes)
        self.conv_out32 = BiSeNetOutput(2 * width, auxiliary, classes)

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, Tensor, Tensor]:
        size = x.shape[2], x.shape[3]
        c8, c16 = self.cp(x)
        y = resize_bilinear(self.conv_out(self.ffm(self.sp(x), c8)), size=size)
        if not self.training:
            return y
        y8 = resize_bilinear(self.conv_out16(c8), size=size)
        y16 = resize_bilinear(self.conv_out32(c16), size=size)
        return y, y8, y16

    @torch.no_grad()
    def gates(self, x: Tensor) -> dict[str, Tensor]:
        """The gates of the context path's refinements: see `ContextPath.gates`."""
        return self.cp.gates(x)


class ToyBiSeNet(BiSeNet):
    """BiSeNet at an eighth of its width."""

    def __init__(self, classes: int = 3, width: int = 8, attention: str = "arm") -> None:
        super().__init__(classes, None, (4 * width, width), width, attention)
