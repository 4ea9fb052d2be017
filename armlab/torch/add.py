"""Sums: of two feature maps, and their difference."""

from torch import Tensor


def add(x1: Tensor, x2: Tensor) -> Tensor:
    """x1 and y of any shape; x2 the same, or of length 1 where it repeats."""
    return x1 + x2


def subtract(x1: Tensor, x2: Tensor) -> Tensor:
    """The shapes of `add`."""
    return x1 - x2
