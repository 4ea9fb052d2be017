"""Sums: of two feature maps, and of the gradients of a value that is used more than once."""

from __future__ import annotations

from armlab.arrays import Array, array_namespace, unbroadcast
from armlab.hand import kernels
from armlab.hand.backward import Backward


def add(x1: Array, x2: Array) -> tuple[Array, Backward]:
    """One map added to another: a residual, two paths that meet.

    x1, y  any shape
    x2     the same, or of length 1 along some axes, along which it repeats

        y = x1 + x2                                                     (1)

    Raises ValueError where x2 does not repeat to the shape of x1.
    """
    array_namespace(x1, x2)
    _expect_to_repeat("add", x1, x2)
    if kernel := kernels.choose("add", x1, x2):
        return kernel(x1, x2)
    shape = x2.shape
    y = x1 + x2  # (1)

    def backward(dy: Array) -> tuple[Array, Array]:
        # (1) each term moves y by as much as itself: both get dy, as it is and not copied.
        return dy, unbroadcast(dy, shape)

    return y, backward


def subtract(x1: Array, x2: Array) -> tuple[Array, Backward]:
    """One map taken from another; shapes are those of `add`.

    y = x1 - x2                                                     (2)
    """
    array_namespace(x1, x2)
    _expect_to_repeat("subtract", x1, x2)
    shape = x2.shape
    y = x1 - x2  # (2)

    def backward(dy: Array) -> tuple[Array, Array]:
        return dy, -unbroadcast(dy, shape)  # (2) x2 moves y by as much, the other way

    return y, backward


def collect(*gradients: Array | None) -> Array:
    """The gradient of a value that was used several times: those of its uses add up.

    None is that of an output which nobody used, see `fill_unused`: it adds nothing.
    """
    total, *others = (g for g in gradients if g is not None)
    for g in others:
        total, _ = add(total, g)
    return total


def _expect_to_repeat(name: str, x1: Array, x2: Array) -> None:
    long, short = tuple(x1.shape), tuple(x2.shape)
    if short == long:
        return
    if len(long) != len(short) or any(n not in (1, m) for n, m in zip(short, long, strict=True)):
        raise ValueError(
            f"{name} expected x2 to repeat to the shape of x1 {long}, got {short}: "
            "give each axis the length of x1 or 1"
        )
