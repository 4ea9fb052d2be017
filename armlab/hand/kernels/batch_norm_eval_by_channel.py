"""Batch normalisation by statistics that are given, and its activation, a few channels at a time.

As `batch_norm_by_channel`, whose sums and shapes it uses: some channels go through all equations,
those of the activation too, before the next ones do, and the large arrays in between are small.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from armlab.hand.kernels.batch_norm_by_channel import (
    ACTIVATIONS,
    dot,
    flat,
    let_through,
    lined_up,
    total,
)
from armlab.hand.kernels.kernel import Backward, of_layer
from armlab.hand.kernels.passes import in_blocks
from armlab.hand.kernels.unbuffered import unbuffered


def batch_norm_eval(
    x: np.ndarray, w: np.ndarray, b: np.ndarray, mean: np.ndarray, var: np.ndarray, eps: float
) -> tuple[np.ndarray, Backward]:
    """Equals `hand.batch_norm_eval` to the order of its sums and products."""
    return _by_kept(x, w, b, mean, var, None, eps)


def batch_norm_eval_activated(
    x: np.ndarray,
    w: np.ndarray,
    b: np.ndarray,
    mean: np.ndarray,
    var: np.ndarray,
    activation: str,
    eps: float,
) -> tuple[np.ndarray, Backward]:
    """Equals `hand.batch_norm_eval_activated` to the order of its sums and products."""
    return _by_kept(x, w, b, mean, var, ACTIVATIONS[activation], eps)


def batch_norm_as_kept(
    x: np.ndarray, bn: Any, norm: Callable[..., Any], act: Callable[..., Any]
) -> tuple[np.ndarray, Backward]:
    """Equals act of `bn(x)` in evaluation mode: by `norm` and what the layer keeps."""
    kept = bn.weight, bn.bias, bn.running_mean, bn.running_var
    y, back = _by_kept(x, *kept, ACTIVATIONS[act.__name__], bn.eps)
    return y, of_layer(back)


def _by_kept(
    x: np.ndarray,
    w: np.ndarray,
    b: np.ndarray,
    mean: np.ndarray,
    var: np.ndarray,
    activation: Any,
    eps: float,
) -> tuple[np.ndarray, Backward]:
    y, r = np.empty(x.shape, x.dtype), 1.0 / np.sqrt(var + eps)  # (1)
    xs, ys, slope = flat(x), flat(y), w * r

    def forward_block(block: slice) -> None:
        x, v = xs[:, block], ys[:, block]
        if activation:
            v = np.empty_like(v)
        with unbuffered(x.shape[2]):
            np.subtract(x, lined_up(mean[block]), out=v)
            v *= lined_up(slope[block])  # (2)
            v += lined_up(b[block])
        if activation:
            activation.forward(v, ys[:, block])

    in_blocks(forward_block, x.shape[1], x.size, passes=2 if activation else 1)
    kept = y if activation else None

    def backward(dy: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        dx, dw, db = np.empty(x.shape, x.dtype), np.empty_like(w), np.empty_like(w)
        xs, dxs = flat(x), flat(dx)

        def backward_block(block: slice) -> None:
            x, dv, dx = xs[:, block], let_through(activation, kept, dy, block), dxs[:, block]
            with unbuffered(x.shape[2]):
                np.subtract(x, lined_up(mean[block]), out=dx)
                dw[block] = dot(dv, dx) * r[block]  # (4), first: dx takes its memory
                np.multiply(dv, lined_up(slope[block]), out=dx)  # (3)
            db[block] = total(dv)  # (5)

        in_blocks(backward_block, x.shape[1], x.size, passes=4 if activation else 2)
        return dx, dw, db

    return y, backward
