"""BiSeNet's context path: a trunk, an ARM at 1/32 and at 1/16, and the mean of the whole image."""

from torch import Tensor, nn

from armlab.torch.attention_refinement import AttentionRefinementModule
from armlab.torch.conv_bn_act import ConvBNAct
from armlab.torch.global_avg_pool import global_avg_pool
from armlab.torch.resize import resize_nearest
from armlab.torch.resnet18 import ResNet18


class ContextPath(nn.Module):
    """x (N, 3, H, W)  ->  features at 1/8 and at 1/16, each with 2 width channels."""

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        wide = 2 * width
        self.resnet = ResNet18(width)
        self.arm16 = AttentionRefinementModule(4 * width, wide, "relu")
        self.arm32 = AttentionRefinementModule(8 * width, wide, "relu")
        self.conv_head32 = ConvBNAct(wide, wide)
        self.conv_head16 = ConvBNAct(wide, wide)
        self.conv_avg = ConvBNAct(8 * width, wide, 1, padding=0)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        f8, f16, f32 = self.resnet(x)
        sum32 = self.arm32(f32) + self.conv_avg(global_avg_pool(f32))
        y16 = self.conv_head32(resize_nearest(sum32, size=f16.shape[2:]))
        sum16 = self.arm16(f16) + y16
        y8 = self.conv_head16(resize_nearest(sum16, size=f8.shape[2:]))
        return y8, y16
