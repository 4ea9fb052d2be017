"""Batch normalisation a few channels at a time, in the memory of one array.

Channels know nothing of one another: some of them go through all equations, the activation behind
them too, before the next ones do, so that their numbers stay in the cache, and workers share the
channels out, see `passes`. x - mean becomes y, and in the backward dx, step by step over the same
memory: a large array that is made anew costs as much as two passes over one that is there. Sums
are matrix products, and those of squares and of dy x̂ dot products, for which no product is stored.

Between two passes stand operations on a few numbers, at which workers wait for one another. So
half of the passes are counted where it is asked whether a second worker is worth it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from armlab.hand.kernels import leaky_relu_factor, relu_bits
from armlab.hand.kernels.kernel import Backward, of_layer
from armlab.hand.kernels.passes import in_blocks
from armlab.hand.kernels.unbuffered import unbuffered

ACTIVATIONS: dict[str, Any] = {"relu": relu_bits, "leaky_relu": leaky_relu_factor}


def batch_norm(
    x: np.ndarray, w: np.ndarray, b: np.ndarray, eps: float
) -> tuple[tuple[np.ndarray, np.ndarray, np.ndarray], Backward]:
    """Equals `hand.batch_norm` to the order of its sums and products."""
    return _in_training(x, w, b, None, eps)


def batch_norm_activated(
    x: np.ndarray, w: np.ndarray, b: np.ndarray, activation: str, eps: float
) -> tuple[tuple[np.ndarray, np.ndarray, np.ndarray], Backward]:
    """Equals `hand.batch_norm_activated` to the order of its sums and products."""
    return _in_training(x, w, b, ACTIVATIONS[activation], eps)


def batch_norm_and_keep(
    x: np.ndarray, bn: Any, norm: Callable[..., Any], act: Callable[..., Any] | None = None
) -> tuple[np.ndarray, Backward]:
    """Equals `bn(x)` in training mode, and act of it: by `norm` and `BatchNorm2d.keep`."""
    activation = ACTIVATIONS[act.__name__] if act else None
    (y, mean, var), back = _in_training(x, bn.weight, bn.bias, activation, bn.eps)
    bn.keep(mean, var, m=x.size // x.shape[1])
    return y, of_layer(back)


def _in_training(
    x: np.ndarray, w: np.ndarray, b: np.ndarray, activation: Any, eps: float
) -> tuple[tuple[np.ndarray, np.ndarray, np.ndarray], Backward]:
    c, m = x.shape[1], max(x.shape[0] * x.shape[2] * x.shape[3], 1)
    y, mean, var = np.empty(x.shape, x.dtype), np.empty_like(w), np.empty_like(w)
    xs, ys = flat(x), flat(y)

    def forward_block(block: slice) -> None:
        x, v = xs[:, block], ys[:, block]
        if activation:
            v = np.empty_like(v)
        mean[block] = total(x) / m  # (1)
        with unbuffered(x.shape[2]):
            np.subtract(x, lined_up(mean[block]), out=v)
            var[block] = dot(v, v) / m  # (2)
            r = 1.0 / np.sqrt(var[block] + eps)  # (3)
            v *= lined_up(w[block] * r)  # (4)
            v += lined_up(b[block])
        if activation:
            activation.forward(v, ys[:, block])

    in_blocks(forward_block, c, x.size, passes=3 if activation else 2)
    kept = y if activation else None

    def backward(dy: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        dx, dw, db = np.empty(x.shape, x.dtype), np.empty_like(w), np.empty_like(w)
        xs, dxs = flat(x), flat(dx)

        def backward_block(block: slice) -> None:
            x, dv, dx = xs[:, block], let_through(activation, kept, dy, block), dxs[:, block]
            r = 1.0 / np.sqrt(var[block] + eps)
            with unbuffered(x.shape[2]):
                np.subtract(x, lined_up(mean[block]), out=dx)
                db[block] = total(dv)
                dw[block] = dot(dv, dx) * r
                dx *= lined_up(-(r * dw[block] / m))  # (5) from its last term to its first
                dx += dv
                dx -= lined_up(db[block] / m)
                dx *= lined_up(w[block] * r)

        in_blocks(backward_block, c, x.size, passes=5 if activation else 3)
        return dx, dw, db

    return (y, mean, var), backward


def let_through(activation: Any, y: np.ndarray | None, dy: np.ndarray, block: slice) -> np.ndarray:
    """dv of these channels, (N, C, positions): what an activation that gave y leaves of dy."""
    dv = flat(dy)[:, block]
    if y is not None:
        dv = np.empty(dv.shape, dv.dtype)
        activation.backward(flat(y)[:, block], flat(dy)[:, block], dv)
    return dv


def flat(x: np.ndarray) -> np.ndarray:
    """(N, C, H, W) -> (N, C, positions)"""
    n, c, height, width = x.shape
    return x.reshape(n, c, height * width)


def total(x: np.ndarray) -> np.ndarray:
    """`channel_sum`.  (N, C, positions) -> (C,)"""
    return np.add.reduce(x @ np.ones(x.shape[2], x.dtype), axis=0)


def dot(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """`channel_dot`.  two (N, C, positions) -> (C,)"""
    return np.add.reduce(np.vecdot(x, y), axis=0)


def lined_up(v: np.ndarray) -> np.ndarray:
    """`per_channel`.  (C,) -> (C, 1)"""
    return v[:, None]
