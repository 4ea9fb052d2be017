"""A 3×3 convolution and an attention module by its name: what the networks refine features with.

A module that networks can have as their attention says so: `attention_name` is its name there. It
keeps the shape of its features and is built with their channels, by `for_channels` if it has that.
One that brings a 3×3 of its own has `with_3x3`. Each has a `gate`.
"""

from __future__ import annotations

from typing import Any, Unpack

from armlab.arrays import Array
from armlab.hand.backward import Backward
from armlab.hand.conv_bn_act import ConvBNAct
from armlab.hand.made import Made, settled
from armlab.hand.module import Module
from armlab.hand.sequential import in_turn


def attentions() -> dict[str, Any]:
    """What `armlab.hand` exports with an `attention_name` of its own, in the order of `__all__`."""
    import armlab.hand  # not above: it imports this file

    exported = (getattr(armlab.hand, name) for name in armlab.hand.__all__)
    return {kind.attention_name: kind for kind in exported if "attention_name" in vars(kind)}


def attention_names() -> tuple[str, ...]:
    """What `refinement` knows: "none", and the names of `attentions`."""
    return ("none", *attentions())


def names_behind_a_convolution() -> tuple[str, ...]:
    """What `ConvAttention` knows: the names of those without a 3×3 of their own."""
    return tuple(name for name, kind in attentions().items() if not hasattr(kind, "with_3x3"))


class ConvAttention(Module):
    """A 3×3 ConvBNAct, then the attention module of this name in `attentions`.

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
        _expect_name("ConvAttention", attention, names_behind_a_convolution())
        kind = attentions()[attention]
        self.conv = ConvBNAct(in_channels, out_channels, activation=activation, **made)
        self.attention: Module = getattr(kind, "for_channels", kind)(out_channels, **made)

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
    _expect_name("refinement", attention, attention_names())
    if attention == "none":
        return ConvBNAct(in_channels, out_channels, activation=activation, **made)
    kind = attentions()[attention]
    if hasattr(kind, "with_3x3"):
        return kind.with_3x3(in_channels, out_channels, activation, **made)
    return ConvAttention(in_channels, out_channels, attention, activation, **made)


def _expect_name(name: str, attention: str, known: tuple[str, ...]) -> None:
    if attention not in known:
        raise ValueError(
            f"{name} expected attention {', '.join(map(repr, known))}, got {attention!r}: "
            "choose one of them"
        )
