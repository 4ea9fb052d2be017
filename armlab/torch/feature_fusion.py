"""Feature fusion (FFM): BiSeNet's two paths side by side, mixed, and gated with a residual."""

import copy

import torch
from torch import Tensor, nn

from armlab.torch.batch_norm import BatchNorm2d
from armlab.torch.conv2d import Conv2d
from armlab.torch.conv_bn_act import ConvBNAct
from armlab.torch.global_avg_pool import global_avg_pool
from armlab.torch.relu import relu
from armlab.torch.sigmoid_gate import sigmoid_gate


class FeatureFusionModule(nn.Module):
    """y = f + f σ(W₂ ReLU(W₁ GAP(f))) with f = ReLU(BN(conv1×1([sp ; cp]))).

    sp (N, C1, H, W), cp (N, C2, H, W)  ->  y (N, K, H, W);  in_channels = C1 + C2
    """

    def __init__(self, in_channels: int, out_channels: int, reduction: int = 1) -> None:
        super().__init__()
        self.convblk = ConvBNAct(in_channels, out_channels, 1, padding=0)
        self.conv1 = Conv2d(out_channels, out_channels // reduction, 1, bias=False)
        self.conv2 = Conv2d(out_channels // reduction, out_channels, 1, bias=False)

    def logits(self, f: Tensor) -> Tensor:
        a: Tensor = self.conv2(relu(self.conv1(global_avg_pool(f))))
        return a

    def mixed(self, sp: Tensor, cp: Tensor) -> Tensor:
        f: Tensor = self.convblk(torch.cat([sp, cp], dim=1))
        return f

    def forward(self, sp: Tensor, cp: Tensor) -> Tensor:
        f = self.mixed(sp, cp)
        return f + sigmoid_gate(f, self.logits(f))

    @torch.no_grad()
    def gate(self, sp: Tensor, cp: Tensor) -> Tensor:
        """What `forward` multiplies f by. On a copy, so that looking does not count as a batch."""
        look = copy.deepcopy(self)
        return torch.sigmoid(look.logits(look.mixed(sp, cp)))


class SingleLayerFeatureFusion(FeatureFusionModule):
    """y = f + f σ(BN(W · GAP(f))), CoinCheung's since 2021."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        nn.Module.__init__(self)
        self.convblk = ConvBNAct(in_channels, out_channels, 1, padding=0)
        self.conv = Conv2d(out_channels, out_channels, 1, bias=False)
        self.bn = BatchNorm2d(out_channels)

    def logits(self, f: Tensor) -> Tensor:
        a: Tensor = self.bn(self.conv(global_avg_pool(f)))
        return a


class RectifiedFeatureFusion(FeatureFusionModule):
    """y = f + f σ(ReLU(BN(W · GAP(f)))), mmsegmentation's: its gate is at least 1/2."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        nn.Module.__init__(self)
        self.convblk = ConvBNAct(in_channels, out_channels, 1, padding=0)
        self.conv_atten = Conv2d(out_channels, out_channels, 1, bias=False)
        self.bn_atten = BatchNorm2d(out_channels)

    def logits(self, f: Tensor) -> Tensor:
        return relu(self.bn_atten(self.conv_atten(global_avg_pool(f))))
