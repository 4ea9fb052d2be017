"""Batch normalisation on CuPy: each channel in slices, and a block of threads for a slice.

With one block for a channel a card would be idle, as there are few channels; with several, these
would have to wait for each other. So a first kernel writes the sums of each slice, and in a second
each block adds up those of its channel before it goes on with its own slice: `cuda/batch_norm.cu`.
With statistics that are given there is nothing to wait for: `cuda/batch_norm_eval.cu`.

An activation behind it goes along, and so do the running statistics of a layer: they are in the
same two kernels, and the backward of the activation too.

Launches in training: 2 forward and 2 backward. In evaluation: 1 forward and 2 backward. Where a
channel has no more than `SLICE` values, 1 forward and 1 backward.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from armlab.arrays import Array
from armlab.hand.kernels import cuda
from armlab.hand.kernels.kernel import Backward

SLOPES = {"relu": 0.0, "leaky_relu": 0.01}  # of v < 0
SLICE = 4096  # values of a slice, at least: more where there would be more slices than threads
KEPT = ("mean", "var", "batches", "new_mean", "new_var", "counted")  # pointers of `struct Kept`
SHARES = ("old", "of_mean", "of_var")


def batch_norm(
    x: Array, w: Array, b: Array, eps: float
) -> tuple[tuple[Array, Array, Array], Backward]:
    """Equals `hand.batch_norm` to the order of its sums."""
    return _in_training(x, w, b, 1.0, eps)


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
    slope = SLOPES[act.__name__] if act else 1.0
    (y, _, _), back = _in_training(x, bn.weight, bn.bias, slope, bn.eps, told)  # (6)
    bn.running_mean, bn.running_var, bn.num_batches_tracked = new

    def backward(dy: Array) -> tuple[Array, dict[str, Array]]:
        dx, dw, db = back(dy)
        return dx, {"weight": dw, "bias": db}

    return y, backward


def _kept(like: Array, pointers: Sequence[int], shares: Sequence[float]) -> np.ndarray:
    """As `struct Kept`."""
    fields = [(name, "u8") for name in KEPT] + [(name, like.dtype) for name in SHARES]
    return np.array((*pointers, *shares), np.dtype(fields, align=True))


def _in_training(
    x: Array, w: Array, b: Array, slope: float, eps: float, kept: np.ndarray | None = None
) -> tuple[tuple[Array, Array, Array], Backward]:
    x, w, b = map(cuda.contiguous, (x, w, b))
    y, mean, var = (cuda.empty(x, a.shape) for a in (x, w, w))
    cut = _Cut("batch_norm", x)
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


def batch_norm_eval(
    x: Array, w: Array, b: Array, mean: Array, var: Array, eps: float
) -> tuple[Array, Backward]:
    """Equals `hand.batch_norm_eval` to the order of its sums."""
    x, w, b, mean, var = map(cuda.contiguous, (x, w, b, mean, var))
    y = cuda.empty(x, x.shape)
    cut = _Cut("batch_norm_eval", x)
    cut.launch("normalise", x, w, b, mean, var, cut.real(eps), y)  # (2)

    def backward(dy: Array) -> tuple[Array, Array, Array]:
        dy = cuda.contiguous(dy)
        dx, dw, db = (cuda.empty(x, a.shape) for a in (x, w, w))
        sums = cuda.empty(x, (cut.blocks, 2))
        cut.launch("differentiate", dy, x, w, mean, var, cut.real(eps), sums, dx, dw, db)  # (3)
        if cut.slices > 1:
            block = len(w), cuda.THREADS
            cuda.launch_blocks(cut.page, "add_up", x, *block, sums, dw, db, cut.slices)  # (4), (5)
        return dx, dw, db

    return y, backward


class _Cut:
    """How the channels of x are cut, and launches of a page with a block for each slice."""

    def __init__(self, page: str, x: Array) -> None:
        self.page = page
        n, c, h, w = x.shape
        m = max(n * h * w, 1)
        length = max(min(SLICE, m), -(-m // cuda.THREADS))
        self.slices = -(-m // length)
        self.blocks, self.like, self.real = c * self.slices, x, x.dtype.type
        self.shape = cuda.structure(n=n, c=c, p=h * w, slices=self.slices, length=length)

    def launch(self, kernel: str, *arguments: Any) -> None:
        """One kernel of the page, which takes the shape after its other arguments."""
        cuda.launch_blocks(
            self.page, kernel, self.like, self.blocks, cuda.THREADS, *arguments, self.shape
        )

    def sums(self, count: int, kernel: str, *arguments: Any) -> Array:
        """So many sums of each slice by this kernel; nothing yet where a channel is one slice."""
        found = cuda.empty(self.like, (self.blocks, count))
        if self.slices > 1:
            self.launch(kernel, *arguments, found)
        return found
