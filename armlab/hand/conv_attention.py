"""A 3×3 convolution and an attention module by its name: what the networks refine features with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Unpack

from armlab.arrays import Array
from armlab.hand.attention_refinement import AttentionRefinementModule, PaperAttentionRefinement
from armlab.hand.attentionout import Attentionout, ResidualAttentionout
from armlab.hand.backward import Backward
from armlab.hand.cbam import CBAM, CBAMChannel, CBAMSpatial, CBAMSpatialMeanFirst
from armlab.hand.conv_bn_act import ConvBNAct
from armlab.hand.coordinate_attention import CoordinateAttention
from armlab.hand.eca import ECA
from armlab.hand.effective_se import EffectiveSE
from armlab.hand.made import Made, settled
from armlab.hand.module import Module
from armlab.hand.sar import SAR, ListedSAR
from armlab.hand.sequential import in_turn
from armlab.hand.simam import SimAM
from armlab.hand.squeeze_excitation import SqueezeExcitation

# For c channels, with the reduction of 16 that is their default, or c where there are fewer.
ATTENTIONS: dict[str, Callable[..., Module]] = {
    "paper-arm": lambda c, **made: PaperAttentionRefinement(c, **made),
    "se": lambda c, **made: SqueezeExcitation(c, min(16, c), **made),
    "ese": lambda c, **made: EffectiveSE(c, **made),
    "eca": lambda c, **made: ECA(c, **made),
    "cbam": lambda c, **made: CBAM(c, min(16, c), **made),
    "cbam-channel": lambda c, **made: CBAMChannel(c, min(16, c), **made),
    "cbam-spatial": lambda c, **made: CBAMSpatial(**made),
    "cbam-spatial-mean-first": lambda c, **made: CBAMSpatialMeanFirst(**made),
    "coordinate": lambda c, **made: CoordinateAttention(c, **made),
    "simam": lambda c, **made: SimAM(**made),
    "attentionout": lambda c, **made: Attentionout(c, **made),
    "residual-attentionout": lambda c, **made: ResidualAttentionout(c, **made),
    "listed-sar": lambda c, **made: ListedSAR(c, max(c // 2, 1), **made),
}
REFINEMENTS = ("none", "arm", *ATTENTIONS, "sar")


class ConvAttention(Module):
    """A 3×3 ConvBNAct, then the attention module of this name in ATTENTIONS.

    x  (N, C, H, W)
    y  (N, K, H, W)

        y = attention(act(BN(conv3×3(x))))                              (1)

    With "paper-arm" this is the `AttentionRefinementModule`, under other keys.
    Raises ValueError for an unknown name.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        attention: str,
        activation: str = "leaky_relu",
        **made: Unpack[Made],
    ) -> None:
        made = settled(self, made)
        _expect_name("ConvAttention", attention, tuple(ATTENTIONS))
        self.conv = ConvBNAct(in_channels, out_channels, activation=activation, **made)
        self.attention = ATTENTIONS[attention](out_channels, **made)

    def forward(self, x: Array) -> tuple[Array, Backward]:
        return in_turn(self.children(), x)  # (1)

    def gate(self, x: Array) -> Array:
        """What the attention multiplies its features by.  Keeps running statistics as they are.

        (N, K, 1, 1) of a gate per channel, (N, 1, H, W) per position, (N, K, H, W) per element.
        """
        look: Any = self.copy()
        return look.attention.gate(look.conv(x)[0])


def refinement(
    attention: str, in_channels: int, out_channels: int, activation: str, **made: Unpack[Made]
) -> Module:
    """A 3×3 with the attention of this name, (N, C, H, W) -> (N, K, H, W).

    "none"  the 3×3 alone, a `ConvBNAct`
    "arm"   `AttentionRefinementModule`, whose 3×3 stands before its gate
    "sar"   `SAR`, whose 3×3 stands behind its gate and is always followed by LeakyReLU
    others  `ConvAttention`

    So what is chosen changes the attention, and each has one 3×3. Raises ValueError for an
    unknown name.
    """
    _expect_name("refinement", attention, REFINEMENTS)
    if attention == "none":
        return ConvBNAct(in_channels, out_channels, activation=activation, **made)
    if attention == "arm":
        return AttentionRefinementModule(in_channels, out_channels, activation, **made)
    if attention == "sar":
        return SAR(in_channels, max(in_channels // 2, 1), out_channels, **made)
    return ConvAttention(in_channels, out_channels, attention, activation, **made)


def _expect_name(name: str, attention: str, known: tuple[str, ...]) -> None:
    if attention not in known:
        raise ValueError(
            f"{name} expected attention {', '.join(map(repr, known))}, got {attention!r}: "
            "choose one of them"
        )
