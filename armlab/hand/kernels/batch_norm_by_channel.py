"""Batch normalisation a few channels at a time, in the memory of one array.

Channels know nothing of one another: some of them go through all equations, the activation behind
them too, before the next ones do, so that their numbers stay in the cache, and workers share the
channels out, see `passes`. x - mean becomes y, and in the backward dx, step by step over the same
memory: a large array that is made anew costs as much as two passes over one that is there. Sums
are matrix products, and those of squares and of dy x̂ dot products, for which no product is stored.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from armlab.hand.kernels import leaky_relu_factor, relu_bits
from armlab.hand.kernels.kernel import Backward
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

    def backward(dy: np.ndarray) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        dx, dw, db = back(dy)
        return dx, {"weight": dw, "bias": db}

    return y, backward


def _in_training(
    x: np.ndarray, w: np.ndarray, b: np.ndarray, activation: Any, eps: float
) -> tuple[tuple[np.ndarray, np.ndarray, np.ndarray], Backward]:
    c, m = x.shape[1], max(x.shape[0] * x.shape[2] * x.shape[3], 1)
    y, mean, var = np.empty(x.shape, x.dtype), np.empty_like(w), np.empty_like(w)
    xs, ys = _channels(x), _channels(y)

    def forward_block(block: slice) -> None:
        x, y = xs[block], ys[block]
        mean[block] = _sum(x) / m  # (1)
        with unbuffered(x.shape[2]):
            np.subtract(x, _lined_up(mean[block]), out=y)
            var[block] = _dot(y, y) / m  # (2)
            r = 1.0 / np.sqrt(var[block] + eps)  # (3)
            y *= _lined_up(w[block] * r)  # (4)
            y += _lined_up(b[block])
        if activation:
            activation.forward(y, y)

    in_blocks(forward_block, c, x.size, passes=7 if activation else 5)
    kept = y if activation else None

    def backward(dy: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        dx, dw, db = np.empty(x.shape, x.dtype), np.empty_like(w), np.empty_like(w)
        xs, dys, dxs = _channels(x), _channels(dy), _channels(dx)

        def backward_block(block: slice) -> None:
            x, dv, dx = xs[block], dys[block], dxs[block]
            if kept is not None:
                dv = np.empty(dv.shape, dv.dtype)
                activation.backward(_channels(kept)[block], dys[block], dv)
            r = 1.0 / np.sqrt(var[block] + eps)
            with unbuffered(x.shape[2]):
                np.subtract(x, _lined_up(mean[block]), out=dx)
                db[block] = _sum(dv)
                dw[block] = _dot(dv, dx) * r
                dx *= _lined_up(-(r * dw[block] / m))  # (5) from its last term to its first
                dx += dv
                dx -= _lined_up(db[block] / m)
                dx *= _lined_up(w[block] * r)

        in_blocks(backward_block, c, x.size, passes=11 if activation else 7)
        return dx, dw, db

    return (y, mean, var), backward


def batch_norm_eval(
    x: np.ndarray, w: np.ndarray, b: np.ndarray, mean: np.ndarray, var: np.ndarray, eps: float
) -> tuple[np.ndarray, Backward]:
    """Equals `hand.batch_norm_eval` to the order of its sums and products."""
    y, r = np.empty(x.shape, x.dtype), 1.0 / np.sqrt(var + eps)  # (1)
    xs, ys, slope = _channels(x), _channels(y), w * r

    def forward_block(block: slice) -> None:
        x, y = xs[block], ys[block]
        with unbuffered(x.shape[2]):
            np.subtract(x, _lined_up(mean[block]), out=y)
            y *= _lined_up(slope[block])  # (2)
            y += _lined_up(b[block])

    in_blocks(forward_block, x.shape[1], x.size, passes=3)

    def backward(dy: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        dx, dw, db = np.empty(x.shape, x.dtype), np.empty_like(w), np.empty_like(w)
        xs, dys, dxs = _channels(x), _channels(dy), _channels(dx)

        def backward_block(block: slice) -> None:
            x, dy, dx = xs[block], dys[block], dxs[block]
            with unbuffered(x.shape[2]):
                np.subtract(x, _lined_up(mean[block]), out=dx)
                dw[block] = _dot(dy, dx) * r[block]  # (4), first: dx takes its memory
                np.multiply(dy, _lined_up(slope[block]), out=dx)  # (3)
            db[block] = _sum(dy)  # (5)

        in_blocks(backward_block, x.shape[1], x.size, passes=4)
        return dx, dw, db

    return y, backward


def _channels(x: np.ndarray) -> np.ndarray:
    """A view by channel.  (N, C, H, W) -> (C, N, positions)"""
    n, c, height, width = x.shape
    return x.reshape(n, c, height * width).swapaxes(0, 1)


def _sum(x: np.ndarray) -> np.ndarray:
    """`channel_sum`, whose digits do not depend on how many channels it gets.  -> (C,)"""
    return _dot(x, np.ones(x.shape[2], x.dtype))


def _dot(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """`channel_dot`.  two (C, N, positions) -> (C,)"""
    return np.add.reduce(np.vecdot(x, y, order="C"), axis=1)


def _lined_up(v: np.ndarray) -> np.ndarray:
    """`per_channel`.  (C,) -> (C, 1, 1)"""
    return v[:, None, None]
