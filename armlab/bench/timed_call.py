"""What a row of the bench times: a call that both sides make."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Shape = tuple[int, ...]

# How far the sides may be apart, relative in the norm. One operation rounds its sums, of at most
# 131,000 products here, and a sum of n products is off by about u √n = 2e-5; Winograd's convolution
# by as much. In a module, rounding moves a few values across the kink of an activation, which
# changes their gradients by a whole and not by a rounding, and the batch norm of an ARM's few
# pooled values magnifies what it is given. A wrong formula is off by the order of 1 in either.
ONE_OPERATION, SEVERAL = 1e-4, 5e-2


@dataclass(frozen=True)
class TimedCall:
    """A call that both sides make, by hand and in PyTorch, forward and backward.

    call        a function or a class of `armlab.hand` and `armlab.torch`
    inputs      shapes by name, in the order of the arguments; each has a gradient
    options     of the function, or of the constructor
    constants   shapes of further arrays of a function, without a gradient
    no_grad     inputs whose gradient nobody wants: an image
    loss        whether the sum of cross-entropies follows, for random labels
    optimise    whether a step of Adam follows the gradients
    series      the rows that differ in one size alone, and that size
    """

    name: str
    group: str
    call: str
    inputs: Mapping[str, Shape]
    options: Mapping[str, Any] = field(default_factory=dict)
    constants: Mapping[str, Shape] = field(default_factory=dict)
    no_grad: tuple[str, ...] = ()
    loss: bool = False
    optimise: bool = False
    series: str = ""
    size: int = 0

    @property
    def is_module(self) -> bool:
        return self.call[0].isupper()

    @property
    def bound(self) -> float:
        return SEVERAL if self.is_module else ONE_OPERATION

    @property
    def flops(self) -> int:
        """Of a convolution forward, two for each product, those with the padding among them."""
        if self.call != "conv2d":
            return 0
        (n, _, *sizes), (k, c, *kernel) = self.inputs["x"], self.inputs["w"]
        stride, padding, dilation = (
            self.options.get(name, default)
            for name, default in (("stride", 1), ("padding", 0), ("dilation", 1))
        )
        out: list[int] = [
            (size + 2 * padding - dilation * (r - 1) - 1) // stride + 1
            for size, r in zip(sizes, kernel, strict=True)
        ]
        return 2 * n * k * c * math.prod(out) * math.prod(kernel)

    @property
    def about(self) -> str:
        """The call in words: "conv2d x 8×3×64×64, w 32×3×3×3, padding=1"."""
        shapes = [f"{k} {'×'.join(map(str, v))}" for k, v in self.inputs.items()]
        words = shapes + [f"{k}={v}" for k, v in self.options.items()]
        words += [f"no d{name}" for name in self.no_grad if not self.loss]
        words += ["loss"] * self.loss + ["Adam"] * self.optimise
        return f"{self.call} {', '.join(words)}"
