"""BiSeNet without a spatial path: the detail comes from the trunk, on its way to the context."""

import torch
from torch import Tensor, nn

from armlab.torch.bisenet_output import BiSeNetOutput
from armlab.torch.context_path import SinglePath
from armlab.torch.feature_fusion import FeatureFusionModule
from armlab.torch.resize import resize_bilinear


class SinglePathBiSeNet(nn.Module):
    """x (N, 3, H, W)  ->  logits (N, classes, H, W); in training mode two auxiliary ones more."""

    def __init__(
        self,
        classes: int = 19,
        reduction: int = 4,
        mid_channels: tuple[int, int] = (256, 64),
        width: int = 64,
        attention: str = "arm",
        align_corners: bool = True,
        bias: bool = False,
    ) -> None:
        super().__init__()
        main, auxiliary = mid_channels
        self.align_corners = align_corners
        self.cp = SinglePath(width, attention)
        self.ffm = FeatureFusionModule(4 * width, 4 * width, reduction)
        self.conv_out = BiSeNetOutput(4 * width, main, classes, bias)
        self.conv_out16 = BiSeNetOutput(2 * width, auxiliary, classes, bias)
        self.conv_out32 = BiSeNetOutput(2 * width, auxiliary, classes, bias)

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, Tensor, Tensor]:
        f8, c8, c16 = self.cp(x)
        y = self.resized(self.conv_out(self.ffm(f8, c8)), x)
        if not self.training:
            return y
        return y, self.resized(self.conv_out16(c8), x), self.resized(self.conv_out32(c16), x)

    def resized(self, logits: Tensor, x: Tensor) -> Tensor:
        size = x.shape[2], x.shape[3]
        return resize_bilinear(logits, size=size, align_corners=self.align_corners)

    @torch.no_grad()
    def gates(self, x: Tensor) -> dict[str, Tensor]:
        """The gates of the path's refinements: see `ContextPath.gates`."""
        return self.cp.gates(x)
