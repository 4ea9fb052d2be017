"""The adjoint identity: a test of a backward that needs no second implementation.

The backward applies the transpose Jᵀ of the derivative J. For every direction v and every dy

    ⟨J v, dy⟩ = ⟨v, Jᵀ dy⟩                                              (1)

The right side is what backward returns. The left side is a difference of two forward passes, so
one random direction tests all gradients at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

STEP = 2.0**-10  # of values of order 1


@dataclass(frozen=True)
class Adjoint:
    """Both sides of (1), and how far apart they may be."""

    left: float
    right: float
    allowed: float
    smooth: bool

    @property
    def holds(self) -> bool:
        return abs(self.left - self.right) <= self.allowed

    def __str__(self) -> str:
        return (
            f"⟨J v, dy⟩ = {self.left:.12g}, ⟨v, Jᵀ dy⟩ = {self.right:.12g}, "
            f"difference {abs(self.left - self.right):.2g}, allowed {self.allowed:.2g}"
        )


def adjoint(
    function: Callable[..., tuple[Any, Callable[[Any], Any]]],
    *inputs: np.ndarray,
    rng: np.random.Generator | int = 0,
) -> Adjoint:
    """Test (1) for a function that returns (y, backward), at these float64 inputs.

    J v is a central difference with steps h and h/2, extrapolated, so off by O(h⁴): allowed are
    1e-8 of Σ|v||Jᵀ dy| + |⟨J v, dy⟩|, which is far above h⁴ = 1e-12 and far below any mistake.
    `smooth` is False where the two steps differ by more than 1e-3 of that: a kink lies between.
    """
    rng = np.random.default_rng(rng)
    y, backward = function(*inputs)
    directions = [rng.uniform(-1, 1, np.shape(x)) for x in inputs]
    dy = rng.standard_normal(np.shape(y))
    grads = backward(dy)
    grads = grads if isinstance(grads, Sequence) else (grads,)
    right = sum(float(np.sum(v * g)) for v, g in zip(directions, grads, strict=True))

    def difference(h: float) -> float:
        ahead, behind = (
            function(*(x + t * v for x, v in zip(inputs, directions, strict=True)))[0]
            for t in (h, -h)
        )
        return float(np.sum((ahead - behind) / (2 * h) * dy))

    wide, narrow = difference(STEP), difference(STEP / 2)
    left = (4 * narrow - wide) / 3
    size = abs(left) + sum(
        float(np.sum(np.abs(v * g))) for v, g in zip(directions, grads, strict=True)
    )
    return Adjoint(left, right, 1e-8 * size + 1e-12, abs(wide - narrow) <= 1e-3 * size + 1e-12)
