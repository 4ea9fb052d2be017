"""One number per channel: sums over positions, dot products, and the affine map back.

Batch normalisation, its backward, pooling and every bias gradient are built from these. A sum
over positions is a product with a vector of ones: the library's matrix routines are twice as
fast at it as its reductions over the last two axes.
"""

from __future__ import annotations

from array_api_compat import device

from armlab.arrays import Array, array_namespace


def position_sum(x: Array) -> Array:
    """Sum over H and W.  (N, C, H, W) -> (N, C, 1, 1)"""
    xp = array_namespace(x)
    n, c, h, w = x.shape
    ones = xp.ones((h * w,), dtype=x.dtype, device=device(x))
    return xp.reshape(xp.reshape(x, (n, c, h * w)) @ ones, (n, c, 1, 1))


def channel_sum(x: Array) -> Array:
    """Sum over N, H and W.  (N, C, H, W) -> (C,)"""
    return array_namespace(x).sum(position_sum(x), axis=(0, 2, 3))


def position_dot(x: Array, y: Array) -> Array:
    """Sum of products over H and W.  two (N, C, H, W) -> (N, C, 1, 1)"""
    xp = array_namespace(x, y)
    n, c, h, w = x.shape
    flat = (n, c, h * w)
    return xp.reshape(xp.vecdot(xp.reshape(x, flat), xp.reshape(y, flat)), (n, c, 1, 1))


def channel_dot(x: Array, y: Array) -> Array:
    """Sum of products over N, H and W.  two (N, C, H, W) -> (C,)"""
    return array_namespace(x).sum(position_dot(x, y), axis=(0, 2, 3))


def per_channel(v: Array) -> Array:
    """Line one number per channel up with features.  (C,) -> (1, C, 1, 1)"""
    return array_namespace(v).reshape(v, (1, -1, 1, 1))


def vector(v: Array) -> Array:
    """The way back.  (1, C, 1, 1) -> (C,)"""
    return array_namespace(v).reshape(v, (-1,))
