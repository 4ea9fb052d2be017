"""The networks that can be trained: of each, how it is built and what it gives. The only table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from armlab import hand
from armlab.arrays import Array, to_host

Network = hand.ToyNet | hand.BiSeNet  # BiSeNet is ToyBiSeNet as well


@dataclass(frozen=True)
class Design:
    """A class of `armlab.hand`, and of `armlab.torch` under the same name.

    network    the class; its other arguments are classes, attention, rng and dtype
    width      the argument that scales its channels
    channels   that width, unless told
    auxiliary  whether its output in training is a tuple, of the main head and auxiliary ones
    pools      whether it normalises pooled values whatever its attention
    gate       (network, images) -> the gate to show, None without attention; also of the twin
    """

    network: type[Network]
    width: str
    channels: int
    auxiliary: bool
    pools: bool
    gate: Callable[[Any, Array], Array | None]

    def draw(self, classes: int, attention: str, channels: int, seed: int, dtype: str) -> Network:
        """By hand, on the host, its weights drawn from the seed."""
        made: dict[str, Any] = {self.width: channels, "rng": seed, "dtype": dtype}
        return self.network(classes, attention=attention, **made)

    def twin_arguments(self, net: Network) -> dict[str, Any]:
        """What the class of PyTorch is called with for the twin of `net`."""
        return {name: getattr(net, name) for name in ("classes", "attention", self.width)}

    def shown_gate(self, net: Any, x: Array) -> np.ndarray | None:
        """The gate on the host, as `Learner.gate` says it."""
        s = self.gate(net, x)
        if s is None:
            return None
        host: np.ndarray = to_host(s)
        return host[:, :, 0, 0] if host.shape[2:] == (1, 1) else host


def _only(net: Any, x: Array) -> Array | None:
    return net.gate(x)


def _at_a_sixteenth(net: Any, x: Array) -> Array | None:
    return net.gates(x).get("arm16")


TOY = Design(hand.ToyNet, "channels", 32, auxiliary=False, pools=False, gate=_only)
TOY_BISENET = Design(hand.ToyBiSeNet, "width", 8, True, True, _at_a_sixteenth)
BISENET = Design(hand.BiSeNet, "width", 64, True, True, _at_a_sixteenth)
DESIGNS = {"toy": TOY, "toy-bisenet": TOY_BISENET, "bisenet": BISENET}


def design_of(net: Network) -> Design:
    """The entry of a network that is there already."""
    for design in DESIGNS.values():
        if type(net) is design.network:
            return design
    known = ", ".join(design.network.__name__ for design in DESIGNS.values())
    raise TypeError(
        f"expected a network of {known}, got {type(net).__name__}: "
        "add it to DESIGNS in armlab/training/networks.py"
    )
