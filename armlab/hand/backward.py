"""What every call returns second: its backward, and how a composite names its gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from armlab.arrays import Array

# Of a function: dy -> the gradients of its inputs, in their order; one input gives one array.
# Of a module:   dy -> (dx, grads), with one dx for each input. Several outputs: dy is a tuple.
Backward: TypeAlias = Callable[[Any], Any]

Grads: TypeAlias = dict[str, Array]


def join(**parts: Grads) -> Grads:
    """Gradients of a composite: each part's keys behind the part's name, in the given order."""
    return {f"{name}.{key}": g for name, grads in parts.items() for key, g in grads.items()}
