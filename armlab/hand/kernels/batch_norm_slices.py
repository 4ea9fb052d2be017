"""Batch normalisation on CuPy by the statistics of the batch: each channel in slices, see `slices`.

A first kernel writes the sums of each slice, and in a second each block adds up those of its
channel before it goes on with its own slice: `cuda/batch_norm.cu`. An activation behind it goes
along, and so do the running statistics of a layer: they are in the same two kernels, and the
backward of the activation too.

Launches: 2 forward and 2 backward, where a channel has no more than `slices.SLICE` values 1 and 1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, cast

import numpy as np

from armlab.arrays import Array
from armlab.hand.kernels import cuda
from armlab.hand.kernels.kernel import Backward, of_layer
from armlab.hand.kernels.slices import Cut

SLOPES = {"relu": 0.0, "leaky_relu": 0.01}  # of v < 0
NONE = 1.0  # the slope without an activation
KEPT = ("mean", "var", "batches", "new_mean", "new_var", "counted")  # pointers of `struct Kept`
SHARES = ("old", "of_mean", "of_var")


def batch_norm(
    x: Array, w: Array, b: Array, eps: float
) -> tuple[tuple[Array, Array, Array], Backward]:
    """Equals `hand.batch_norm` to the order of its sums."""
    return _in_training(x, w, b, NONE, eps)


def batch_norm_activated(
    x: Array, w: Array, b: Array, activation: str, eps: float
) -> tuple[tuple[Array, Array, Array], Backward]:
    """Equals `hand.batch_norm_activated` to the order of its sums."""
    return _in_training(x, w, b, SLOPES[activation], eps)


def batch_norm_and_keep(
    x: Array, bn: Any, norm: Callable[..., Any], act: Callable[..., Any] | None = None
) -> tuple[Array, Backward]:
    """Equals `bn(x)` in training mode, and act of it: by `norm` and `BatchNorm2d.keep`."""
    m = x.shape[0] * x.shape[2] * x.shape[3]
    kept = bn.running_mean, bn.running_var, bn.num_batches_tracked
    old, new = [cuda.contiguous(a) for a in kept], [cuda.empty(a, a.shape) for a in kept]
    shares = 1 - bn.momentum, bn.momentum, bn.momentum * (m / (m - 1))
    told = _kept(x, [a.data.ptr for a in (*old, *new)], shares)
    slope = SLOPES[act.__name__] if act else NONE
    (y, _, _), back = _in_training(x, bn.weight, bn.bias, slope, bn.eps, told)  # (6)
    bn.running_mean, bn.running_var, bn.num_batches_tracked = new
    return y, of_layer(back)


def _kept(like: Array, pointers: Sequence[int], shares: Sequence[float]) -> np.void:
    """As `struct Kept`, a scalar like those of `cuda.structure`."""
    return cast(np.void, np.array((*pointers, *shares), _kind(like.dtype))[()])


@cache
def _kind(real: np.dtype) -> np.dtype:
    fields = [(name, "u8") for name in KEPT] + [(name, real) for name in SHARES]
    return np.dtype(fields, align=True)


def _in_training(
    x: Array, w: Array, b: Array, slope: float, eps: float, kept: np.void | None = None
) -> tuple[tuple[Array, Array, Array], Backward]:
    x, w, b = map(cuda.contiguous, (x, w, b))
    y, mean, var = (cuda.empty(x, a.shape) for a in (x, w, w))
    cut = Cut("batch_norm", x)
    numbers = cut.real(eps), cut.real(slope)
    sums = cut.sums(3, "statistics", x)  # (1) and (2), of each slice
    kept = _kept(x, [0] * len(KEPT), [0.0] * len(SHARES)) if kept is None else kept
    cut.launch("normalise", x, w, b, *numbers, sums, y, mean, var, kept)  # (4)

    def backward(dy: Array) -> tuple[Array, Array, Array]:
        dy = cuda.contiguous(dy)
        dx, dw, db = (cuda.empty(x, a.shape) for a in (x, w, w))
        given = dy, x, w, b, mean, var, *numbers
        sums = cut.sums(2, "gradients", *given)  # db and dw, of each slice
        cut.launch("differentiate", *given, sums, dx, dw, db)  # (5)
        return dx, dw, db

    return (y, mean, var), backward
