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

STEP = 2.0**-13  # for values of order 1


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

    J v is a central difference with steps h and h/2, extrapolated: its error is of the order of
    h⁴ = 1e-16 and of the rounding divided by h, 1e-12. Allowed are 1e-8 of
    Σ|v||Jᵀ dy| + |⟨J v, dy⟩|.
    `smooth` is False where steps half as long give another derivative: there the function has a
    kink within a step of its inputs, and (1) does not apply.
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

    coarse, fine, finest = (difference(STEP / 2**i) for i in range(3))
    left, again = (4 * fine - coarse) / 3, (4 * finest - fine) / 3  # without their h² terms
    size = abs(left) + sum(
        float(np.sum(np.abs(v * g))) for v, g in zip(directions, grads, strict=True)
    )
    allowed = 1e-8 * size + 1e-12
    return Adjoint(left, right, allowed, smooth=abs(left - again) <= allowed / 4)
