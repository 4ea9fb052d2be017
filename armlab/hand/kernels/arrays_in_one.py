"""The optimisers and the look for NaN on NumPy: all arrays as one, block by block in the cache.

New weights come out as views of one flat array, and so do velocities and moments, so a step has as
many operations for a hundred small arrays as for one. A block is read from memory once and goes
through all equations while it is in the cache; what stands between them never leaves it. The arrays
of the step before are read and stay as they were. Each operation is that of the optimiser's page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import pairwise
from math import prod

import numpy as np

from armlab.hand.kernels.packed import Packed, Shapes, State, blocks, shapes_of

BLOCK = 2**14  # numbers; of the eight arrays of Adam they stay in a cache of the second level


def step(
    like: np.ndarray, weights: State, grads: State, *states: State, kernel: str, **rule: float
) -> tuple[State, ...]:
    """New weights, and new states as many as were given; see `arrays_at_once.step`."""
    shapes = shapes_of(weights)
    g = np.concatenate([np.ravel(grads[key]) for key in weights])
    w = _flat(weights, [*weights])
    old = [_flat(arrays, [*weights]) if arrays else None for arrays in states]
    if rule["decay"]:
        _add_decay(g, w, shapes, rule["decay"])
    made, t = [np.empty_like(g) for _ in (w, *old)], np.empty_like(g[:BLOCK])
    for start in range(0, g.size, BLOCK):
        part = slice(start, start + BLOCK)
        read = [a if a is None else a[part] for a in old]
        written = [a[part] for a in made]
        RULES[kernel](rule, g[part], w[part], *read, *written, t[: g[part].size])
    return tuple(Packed(shapes, a) for a in made)


def _sgd(
    rule: dict[str, float],
    g: np.ndarray,
    w: np.ndarray,
    v: np.ndarray | None,
    to_w: np.ndarray,
    to_v: np.ndarray,
    t: np.ndarray,
) -> None:
    if v is None:
        to_v[:] = g
    else:
        np.multiply(v, rule["momentum"], out=to_v)
        to_v += g  # (2)
    np.multiply(to_v, rule["rate"], out=to_w)
    to_w += w  # (3)


def _adam(
    rule: dict[str, float],
    g: np.ndarray,
    w: np.ndarray,
    m: np.ndarray | None,
    s: np.ndarray | None,
    to_w: np.ndarray,
    to_m: np.ndarray,
    to_s: np.ndarray,
    t: np.ndarray,
) -> None:
    np.multiply(0.0 if m is None else m, rule["b1"], out=to_m)
    to_m += np.multiply(g, rule["rest1"], out=t)  # (2)
    np.multiply(g, rule["rest2"], out=to_s)
    to_s *= g
    to_s += np.multiply(0.0 if s is None else s, rule["b2"], out=t)  # (3)
    np.sqrt(to_s, out=t)
    t /= rule["root"]
    t += rule["eps"]
    np.divide(to_m, t, out=t)
    t *= rule["rate"]
    np.add(t, w, out=to_w)  # (4)


RULES: dict[str, Callable[..., None]] = {"sgd": _sgd, "adam": _adam}


def with_finite(loss: np.ndarray, arrays: Iterable[np.ndarray]) -> np.ndarray:
    """As `armlab.training.finite.with_finite`; views that fill a flat array are added up as one.

    Small ones are copied behind each other: to begin a sum takes longer than to copy a few numbers.
    """
    kept = [a for a in arrays if a.dtype == loss.dtype]
    seen: dict[int, int] = {}  # by flat array, how many of its numbers
    for a in kept:
        seen[id(a.base)] = seen.get(id(a.base), 0) + a.size
    whole = {id(a.base): _filled(a.base, seen[id(a.base)], loss) for a in kept}
    loose = [a for a in kept if whole[id(a.base)] is None]
    large = [a for a in whole.values() if a is not None] + [a for a in loose if a.size > BLOCK]
    small = np.concatenate([loss[None], *(np.ravel(a) for a in loose if a.size <= BLOCK)])
    total = np.sum([np.sum(a) for a in (*large, small)])
    return np.stack([loss, total])


def _filled(base: np.ndarray | None, seen: int, like: np.ndarray) -> np.ndarray | None:
    """An array of which the views that were seen have all numbers."""
    fills = isinstance(base, np.ndarray) and base.dtype == like.dtype and base.size == seen
    return base if fills else None


def _flat(arrays: State, keys: list[str]) -> np.ndarray:
    """The arrays behind each other in this order."""
    if isinstance(arrays, Packed) and arrays.block == 1 and [*arrays] == keys:
        buffer: np.ndarray = arrays.buffer
        return buffer
    return np.concatenate([np.ravel(arrays[key]) for key in keys])


def _add_decay(g: np.ndarray, w: np.ndarray, shapes: Shapes, decay: float) -> None:
    """Equation (1), of kernels alone."""
    starts = blocks((prod(shape) for shape in shapes.values()), 1)
    for shape, span in zip(shapes.values(), pairwise(starts), strict=True):
        if len(shape) > 1:
            g[slice(*span)] += decay * w[slice(*span)]
