"""Batch normalisation on CuPy by statistics that are given, and the activation behind it.

There is nothing to wait for: each slice of a channel is normalised by itself, as in
`cuda/batch_norm_eval.cu`, and the activation goes along. Launches: 1 forward and 2 backward, where
a channel has no more than `slices.SLICE` values 1 and 1.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from armlab.arrays import Array
from armlab.hand.kernels import cuda
from armlab.hand.kernels.batch_norm_slices import NONE, SLOPES
from armlab.hand.kernels.kernel import Backward, of_layer
from armlab.hand.kernels.slices import Cut


def batch_norm_eval(
    x: Array, w: Array, b: Array, mean: Array, var: Array, eps: float
) -> tuple[Array, Backward]:
    """Equals `hand.batch_norm_eval` to the order of its sums."""
    return _by_kept(x, w, b, mean, var, NONE, eps)


def batch_norm_eval_activated(
    x: Array, w: Array, b: Array, mean: Array, var: Array, activation: str, eps: float
) -> tuple[Array, Backward]:
    """Equals `hand.batch_norm_eval_activated` to the order of its sums."""
    return _by_kept(x, w, b, mean, var, SLOPES[activation], eps)


def batch_norm_as_kept(
    x: Array, bn: Any, norm: Callable[..., Any], act: Callable[..., Any]
) -> tuple[Array, Backward]:
    """Equals act of `bn(x)` in evaluation mode: by `norm` and what the layer keeps."""
    slope = SLOPES[act.__name__]
    y, back = _by_kept(x, bn.weight, bn.bias, bn.running_mean, bn.running_var, slope, bn.eps)
    return y, of_layer(back)


def _by_kept(
    x: Array, w: Array, b: Array, mean: Array, var: Array, slope: float, eps: float
) -> tuple[Array, Backward]:
    x, w, b, mean, var = map(cuda.contiguous, (x, w, b, mean, var))
    y = cuda.empty(x, x.shape)
    cut = Cut("batch_norm_eval", x)
    given = x, w, b, mean, var, cut.real(eps), cut.real(slope)
    cut.launch("normalise", *given, y)  # (2)

    def backward(dy: Array) -> tuple[Array, Array, Array]:
        dy = cuda.contiguous(dy)
        dx, dw, db = (cuda.empty(x, a.shape) for a in (x, w, w))
        sums = cuda.empty(x, (cut.blocks, 2)) if cut.slices > 1 else cuda.NOTHING
        cut.launch("differentiate", dy, *given, sums, dx, dw, db)  # (3)
        if cut.slices > 1:
            block = len(w), cuda.THREADS
            cuda.launch_blocks(cut.page, "add_up", x, *block, sums, dw, db, cut.slices)  # (4), (5)
        return dx, dw, db

    return y, backward
