"""A 3×3 convolution and an attention module by its name: what the networks refine features with."""

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from armlab.torch.attention_refinement import AttentionRefinementModule, PaperAttentionRefinement
from armlab.torch.attentionout import Attentionout, ResidualAttentionout
from armlab.torch.cbam import CBAM, CBAMChannel, CBAMSpatial, CBAMSpatialMeanFirst
from armlab.torch.conv_bn_act import ConvBNAct
from armlab.torch.coordinate_attention import CoordinateAttention
from armlab.torch.eca import ECA
from armlab.torch.effective_se import EffectiveSE
from armlab.torch.sar import SAR, ListedSAR
from armlab.torch.simam import SimAM
from armlab.torch.squeeze_excitation import SqueezeExcitation

ATTENTIONS: dict[str, Callable[[int], nn.Module]] = {
    "paper-arm": PaperAttentionRefinement,
    "se": lambda c: SqueezeExcitation(c, min(16, c)),
    "ese": EffectiveSE,
    "eca": ECA,
    "cbam": lambda c: CBAM(c, min(16, c)),
    "cbam-channel": lambda c: CBAMChannel(c, min(16, c)),
    "cbam-spatial": lambda c: CBAMSpatial(),
    "cbam-spatial-mean-first": lambda c: CBAMSpatialMeanFirst(),
    "coordinate": CoordinateAttention,
    "simam": lambda c: SimAM(),
    "attentionout": Attentionout,
    "residual-attentionout": ResidualAttentionout,
    "listed-sar": lambda c: ListedSAR(c, max(c // 2, 1)),
}


class ConvAttention(nn.Module):
    """y = attention(act(BN(conv3×3(x)))): (N, C, H, W) -> (N, K, H, W)."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        attention: str,
        activation: str = "leaky_relu",
    ) -> None:
        super().__init__()
        if attention not in ATTENTIONS:
            known = ", ".join(map(repr, ATTENTIONS))
            raise ValueError(f"expected attention {known}, got {attention!r}")
        self.conv = ConvBNAct(in_channels, out_channels, activation=activation)
        self.attention = ATTENTIONS[attention](out_channels)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.attention(self.conv(x))
        return y

    @torch.no_grad()
    def gate(self, x: Tensor) -> Tensor:
        """What `forward` multiplies by. On a copy, so that looking does not count as a batch."""
        look: Any = copy.deepcopy(self)
        s: Tensor = look.attention.gate(look.conv(x))
        return s


def refinement(attention: str, in_channels: int, out_channels: int, activation: str) -> nn.Module:
    """A 3×3 with the attention of this name: "none", "arm", "sar" or one of ATTENTIONS."""
    if attention == "none":
        return ConvBNAct(in_channels, out_channels, activation=activation)
    if attention == "arm":
        return AttentionRefinementModule(in_channels, out_channels, activation)
    if attention == "sar":
        return SAR(in_channels, max(in_channels // 2, 1), out_channels)
    return ConvAttention(in_channels, out_channels, attention, activation)
