"""What every call returns second: its backward, and how a composite names its gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from array_api_compat import device

from armlab.arrays import Array, array_namespace

# Of a function: dy -> the gradients of its inputs, in their order; one input gives one array.
# Of a module:   dy -> (dx, grads), with one dx for each input. Several outputs: dy is a tuple.
Backward: TypeAlias = Callable[..., Any]

Grads: TypeAlias = dict[str, Array]


def join(**parts: Grads) -> Grads:
    """Gradients of a composite: each part's keys behind the part's name, in the given order."""
    return {f"{name}.{key}": g for name, grads in parts.items() for key, g in grads.items()}


def fill_unused(
    dy: tuple[Array | None, ...], shapes: tuple[tuple[int, ...] | None, ...]
) -> list[Array]:
    """Zeros for each None in dy: the gradient of an output that nobody used.

    Where the shape is None as well it stays None: of an output that has other uses, see `collect`.
    """
    given = next((d for d in dy if d is not None), None)
    if given is None or len(dy) != len(shapes):
        none = sum(d is None for d in dy)
        raise ValueError(
            f"backward expected {len(shapes)} gradients, at least one of them not None, got "
            f"{len(dy)}, {none} of them None: give one for each output"
        )
    zeros = array_namespace(given).zeros
    return [
        zeros(shape, dtype=given.dtype, device=device(given)) if d is None and shape else d
        for d, shape in zip(dy, shapes, strict=True)
    ]
