"""One layer behind another: forwards in their order, backwards in the reverse one."""

from __future__ import annotations

from collections.abc import Mapping

from armlab.arrays import Array
from armlab.hand.backward import Backward, Grads, join
from armlab.hand.module import Module


def in_turn(layers: Mapping[str, Module], x: Array) -> tuple[Array, Backward]:
    """y = layer_n(… layer_1(x)); gradients are named by layer, in the order of the layers.

    backward(dy, input_grad=False) spares the gradient of x, if the first layer can.
    """
    backs = {}
    for name, layer in layers.items():
        x, backs[name] = layer(x)

    def backward(dy: Array, **input_grad: bool) -> tuple[Array | None, Grads]:
        grads: dict[str, Grads] = {}
        first, *rest = layers
        for name in reversed(rest):
            dy, grads[name] = backs[name](dy)
        dx, grads[first] = backs[first](dy, **input_grad)
        return dx, join(**{name: grads[name] for name in layers})

    return x, backward


class Sequential(Module):
    """Layers by number, with the keys of torch.nn.Sequential: "0", "1", …"""

    def __init__(self, *layers: Module) -> None:
        for number, layer in enumerate(layers):
            setattr(self, str(number), layer)

    def forward(self, x: Array) -> tuple[Array, Backward]:
        return in_turn(self.children(), x)
