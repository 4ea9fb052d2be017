"""Eight ways in which the same values may lie in memory, all of which a user may hand over."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Layout = Callable[[np.ndarray], np.ndarray]


def _negative_strides(a: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(np.flip(a))[(slice(None, None, -1),) * a.ndim]


def _step_two(a: np.ndarray) -> np.ndarray:
    """Every second element of a buffer whose other elements are NaN."""
    buffer = np.full([2 * n for n in a.shape], np.nan, a.dtype)
    view = buffer[(slice(None, None, 2),) * a.ndim]
    view[...] = a
    return view


def _transposed(a: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(a.swapaxes(-1, -2)).swapaxes(-1, -2) if a.ndim > 1 else a.copy()


def _channels_last(a: np.ndarray) -> np.ndarray:
    return np.moveaxis(np.ascontiguousarray(np.moveaxis(a, 1, -1)), -1, 1) if a.ndim > 1 else a


def _read_only(a: np.ndarray) -> np.ndarray:
    """Repeated along the channels where the values allow it, and not to be written to."""
    if a.ndim > 1 and a.shape[1] > 0 and bool((a == a[:, :1]).all()):
        return np.broadcast_to(a[:, :1].copy(), a.shape)
    a = a.copy()
    a.flags.writeable = False
    return a


LAYOUTS: dict[str, Layout] = {
    "C": np.ascontiguousarray,
    "Fortran": np.asfortranarray,
    "negative strides": _negative_strides,
    "step two": _step_two,
    "transposed": _transposed,
    "channels last": _channels_last,
    "broadcast": _read_only,
    "zero-size": np.ascontiguousarray,  # the batch of the example is empty
}
