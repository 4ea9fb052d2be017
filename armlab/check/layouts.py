"""Eight ways in which the same values may lie in memory, all of which a user may hand over.

A layout is made where the array is to live, as a view of a copy, so that a device and torch
tensors get it too, as far as their library has such views.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from armlab.arrays import Array
from armlab.places import HOST, Place

Layout = Callable[[np.ndarray, Place], Array]


def _in_rows(a: np.ndarray, place: Place) -> Array:
    return place.asarray(np.ascontiguousarray(a))


def _reordered(a: np.ndarray, place: Place, order: tuple[int, ...]) -> Array:
    """A view of an array whose axes lie in memory in this order."""
    stored = place.asarray(np.ascontiguousarray(a.transpose(order)))
    return place.xp.permute_dims(stored, tuple(int(i) for i in np.argsort(order)))


def _fortran(a: np.ndarray, place: Place) -> Array:
    return _reordered(a, place, tuple(reversed(range(a.ndim))))


def _transposed(a: np.ndarray, place: Place) -> Array:
    *outer, rows, columns = range(max(a.ndim, 2))
    return _reordered(a, place, (*outer, columns, rows)) if a.ndim > 1 else _in_rows(a, place)


def _channels_last(a: np.ndarray, place: Place) -> Array:
    last = (0, *range(2, a.ndim), 1)
    return _reordered(a, place, last) if a.ndim > 1 else _in_rows(a, place)


def _negative_strides(a: np.ndarray, place: Place) -> Array:
    return place.xp.flip(_in_rows(np.flip(a), place))


def _step_two(a: np.ndarray, place: Place) -> Array:
    """Every second element of a buffer whose other elements are NaN."""
    buffer = np.full([2 * n for n in a.shape], np.nan, a.dtype)
    every_second = (slice(None, None, 2),) * a.ndim
    buffer[every_second] = a
    return place.asarray(buffer)[every_second]


def _read_only(a: np.ndarray, place: Place) -> Array:
    """Repeated along the channels where the values allow it, and not to be written to."""
    if a.ndim > 1 and a.shape[1] > 0 and bool((a == a[:, :1]).all()):
        return place.xp.broadcast_to(_in_rows(a[:, :1], place), a.shape)
    copy = _in_rows(a, place)
    if place == HOST:
        copy.flags.writeable = False
    return copy


LAYOUTS: dict[str, Layout] = {
    "C": _in_rows,
    "Fortran": _fortran,
    "negative strides": _negative_strides,
    "step two": _step_two,
    "transposed": _transposed,
    "channels last": _channels_last,
    "broadcast": _read_only,
    "zero-size": _in_rows,  # the batch of the example is empty
}
