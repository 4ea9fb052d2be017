"""A 3×3 convolution and an attention module by its name: what the networks refine features with."""

import copy
from typing import Any

import torch
from torch import Tensor, nn

from armlab.torch.conv_bn_act import ConvBNAct


def attentions() -> dict[str, Any]:
    """What `armlab.torch` exports with an `attention_name` of its own."""
    import armlab.torch  # not above: it imports this file

    exported = (getattr(armlab.torch, name) for name in armlab.torch.__all__)
    return {kind.attention_name: kind for kind in exported if "attention_name" in vars(kind)}


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
        known = {n: kind for n, kind in attentions().items() if not hasattr(kind, "with_3x3")}
        if attention not in known:
            raise ValueError(f"expected attention {', '.join(known)}, got {attention!r}")
        self.conv = ConvBNAct(in_channels, out_channels, activation=activation)
        kind = known[attention]
        self.attention = getattr(kind, "for_channels", kind)(out_channels)

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
    """A 3×3 with the attention of this name: "none", or one of `attentions`."""
    if attention == "none":
        return ConvBNAct(in_channels, out_channels, activation=activation)
    kind: Any = attentions().get(attention)
    if hasattr(kind, "with_3x3"):
        made: nn.Module = kind.with_3x3(in_channels, out_channels, activation)
        return made
    return ConvAttention(in_channels, out_channels, attention, activation)
