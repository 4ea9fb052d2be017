"""Fast versions: the table says which one runs, and each must equal its specification.

A kernel may name a library, which the rest of `armlab.hand` may not. Where no row fits, the
specification runs, so deleting a row changes speeds and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

from array_api_compat import is_numpy_namespace

from armlab.hand.kernels import conv2d_columns, conv2d_pointwise, conv2d_rows, conv2d_winograd
from armlab.hand.window import Window

Channels = Callable[[int, int], bool]


def any_number(c: int, k: int) -> bool:
    return True


def many(c: int, k: int) -> bool:
    """With fewer, the transforms of Winograd cost more than the products that they save."""
    return min(c, k) >= 8


def not_a_stem(c: int, k: int) -> bool:
    """From few channels to many, rows would be added up in many channels, columns copied in few."""
    return k < 4 * c


CONV2D: list[tuple[Callable[[Any], bool], ModuleType, Channels]] = [
    # library            what fits(window, groups)   from how many channels to how many
    (is_numpy_namespace, conv2d_pointwise, any_number),
    (is_numpy_namespace, conv2d_winograd, many),
    (is_numpy_namespace, conv2d_rows, not_a_stem),
    (is_numpy_namespace, conv2d_columns, any_number),
]


def choose_conv2d(xp: Any, w: Any, window: Window, groups: int) -> Callable[..., Any] | None:
    """The first fast convolution that fits; None where the specification is to run."""
    k, c = w.shape[:2]
    for library_fits, kernel, channels_fit in CONV2D:
        if library_fits(xp) and kernel.fits(window, groups) and channels_fit(c, k):
            return kernel.conv2d
    return None
