"""BiSeNet's heads: from features to one logit per class, then to the size of the image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Unpack

from armlab.arrays import Array, array_namespace
from armlab.hand.backward import Backward, Grads, fill_unused, join
from armlab.hand.conv2d import Conv2d
from armlab.hand.conv_bn_act import ConvBNAct
from armlab.hand.expect import whole
from armlab.hand.made import Made, settled
from armlab.hand.module import Module
from armlab.hand.resize import resize_bilinear
from armlab.hand.sequential import in_turn


class BiSeNetOutput(Module):
    """y = conv1×1(act(BN(conv3×3(x)))), with the name and the keys of CoinCheung/BiSeNet.

    x  (N, C, H, W)
    y  (N, classes, H, W)

    bias is that of the 1×1: there in CoinCheung's of today, not in SeAFusion's.
    """

    def __init__(
        self,
        in_channels: int,
        mid_channels: int,
        classes: int,
        bias: bool = True,
        activation: str = "relu",
        **made: Unpack[Made],
    ) -> None:
        made = settled(self, made)
        self.conv = ConvBNAct(in_channels, mid_channels, activation=activation, **made)
        self.conv_out = Conv2d(mid_channels, classes, 1, bias=bias, **made)

    def forward(self, x: Array) -> tuple[Array, Backward]:
        return in_turn(self.children(), x)


def expect_heads(name: str, mid_channels: tuple[int, int]) -> tuple[int, ...]:
    """The channels inside the main head and inside the auxiliary ones. Refuses what is not two."""
    try:
        main, auxiliary = mid_channels
    except (TypeError, ValueError):
        raise ValueError(
            f"{name} expected mid_channels as two whole numbers, of the main head and of the "
            f"auxiliary ones, got {mid_channels!r}: give two, as in (256, 64)"
        ) from None
    return whole(name, mid_channels=main) + whole(name, mid_channels=auxiliary)


def heads_of(network: Module) -> dict[str, Module]:
    """The heads among the parts of a network, by name, the main one first."""
    return {name: m for name, m in network.children().items() if isinstance(m, BiSeNetOutput)}


def run_heads(
    heads: Mapping[str, Module],
    features: Mapping[str, Array],
    size: tuple[int, int],
    align_corners: bool = False,
) -> tuple[tuple[Array, ...], Backward]:
    """Logits at the size of the image, one output for each head that has features.

    backward gives the features' gradients by head, and the gradients of all heads: zeros for
    those that had no features, as their weights had no part in the output.
    """
    head_backs, resize_backs, ys = {}, {}, []
    for name, x in features.items():
        a, head_backs[name] = heads[name](x)
        y, resize_backs[name] = resize_bilinear(a, size=size, align_corners=align_corners)
        ys.append(y)
    shapes = tuple(y.shape for y in ys)
    idle = {name: head.parameters() for name, head in heads.items() if name not in features}

    def backward(dys: tuple[Array | None, ...]) -> tuple[dict[str, Array], Grads]:
        dfeatures = {}
        grads = {
            name: {key: array_namespace(a).zeros_like(a) for key, a in parameters.items()}
            for name, parameters in idle.items()
        }
        for name, dy in zip(features, fill_unused(dys, shapes), strict=True):
            dfeatures[name], grads[name] = head_backs[name](resize_backs[name](dy))
        return dfeatures, join(**{name: grads[name] for name in heads})

    return tuple(ys), backward
