"""Short ways to say a mistake: the right function, with something else in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Mistakes = dict[str, dict[str, Callable[..., Any]]]
Steps = dict[str, Callable[..., dict[str, Any]]]

POSITIONS, BATCH = (2, 3), (0, 2, 3)


def over(axes: Any, a: np.ndarray) -> np.ndarray:
    """The sum over axes that stay with length 1."""
    total: np.ndarray = a.sum(axis=axes, keepdims=True)
    return total


def largest(x: np.ndarray, axes: Any) -> np.ndarray:
    """Where the largest values along these axes are, all of them."""
    found: np.ndarray = x == x.max(axis=axes, keepdims=True)
    return found


def sigma(a: np.ndarray) -> np.ndarray:
    gate: np.ndarray = 1 / (1 + np.exp(-a))
    return gate


def but(right: Callable[..., Any], **other: Any) -> Callable[..., Any]:
    """The right function with other values by name."""
    return lambda **given: right(**given, **other)
