"""What a case knows of its function or module beside examples: the records it is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

Shape = tuple[int, ...]
Options = Mapping[str, Any]
Inputs = dict[str, np.ndarray]
Call = Callable[[np.random.Generator, Shape], tuple[Inputs, Options]]
Takes = Callable[[int, int], Sequence[Shape]]
Formula = Callable[..., Any]  # (weights by key, training, *inputs) -> y; see `armlab.check.plain`


def features(*channels: int) -> Takes:
    """One map (C, H, W) for each number of channels, all of the size that is asked for."""
    return lambda h, w: [(c, h, w) for c in channels]


@dataclass(frozen=True)
class Built:
    """How a module is built where a small one will do.

    options  of the constructor, by name; few are their defaults
    takes    the shapes (C, H, W) of its inputs, for maps of h × w pixels
    needed   the arguments without a default, where those of `options` are too few for the
             defaults of the others; None: those of `options`
    kinks    where it has no derivative: nowhere ("none"); seldom within a step of its inputs
             ("few"); in a network always, unless a sigmoid stands for each ReLU ("many")
    spares   how many convolutions `backward(dy, input_grad=False)` spares a gradient; 0: a
             backward without that option
    any_channels  whether it takes any number of channels
    """

    options: Options
    takes: Takes
    needed: Options | None = None
    kinks: Literal["none", "few", "many"] = "none"
    spares: int = 0
    any_channels: bool = False


@dataclass(frozen=True)
class Gate:
    """What an attention module shows, and what holds of it whatever its weights.

    makes      (module, gate, *inputs) -> y: what forward makes of its inputs with this gate
    biases     keys of the parameters that, far out, shut and open every gate; (): there are none
    pointwise  whether each position is treated alike, wherever it is
    channels   by key, the axes along which weights are permuted with the channels; None: the
               order of the channels has a meaning of its own
    square     what to build it with for 4 channels in and as many out; None: as built
    """

    makes: Callable[..., Any] = lambda module, gate, x: x * gate
    biases: tuple[str, ...] = ()
    pointwise: bool = False
    channels: Mapping[str, tuple[int, ...]] | None = field(default_factory=dict)
    square: Options | None = None


@dataclass(frozen=True)
class Timed:
    """A call for `armlab bench`: shapes of the inputs and constants, options of the function.

    name  of the row, where it is not that of the case
    """

    inputs: Mapping[str, Shape]
    options: Options = field(default_factory=dict)
    constants: Mapping[str, Shape] = field(default_factory=dict)
    name: str = ""


BN = ("weight", "bias", "running_mean", "running_var")
ATTEN = {"conv_atten.weight": (0, 1)} | {f"bn_atten.{part}": (0,) for part in BN}


def conv_bn_axes(conv: str, bn: str, axes: Shape = (0,)) -> dict[str, Shape]:
    """`Gate.channels` of a convolution and the batch normalisation behind it."""
    return {f"{conv}.weight": axes} | {f"{bn}.{part}": (0,) for part in BN}
