"""Fast versions: the table says which one runs, and each must equal its specification.

A kernel may name a library, which the rest of `armlab.hand` may not. Where no row fits, the
specification runs, so deleting this table changes speeds and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from array_api_compat import is_numpy_namespace

from armlab.hand.kernels import conv2d_rows
from armlab.hand.window import Window

CONV2D: list[tuple[Callable[[Any], bool], Callable[[Window, int], bool], Callable[..., Any]]] = [
    # library              geometry                 kernel
    (is_numpy_namespace, conv2d_rows.fits, conv2d_rows.conv2d),
]


def choose_conv2d(xp: Any, window: Window, groups: int) -> Callable[..., Any] | None:
    """The first fast convolution that fits; None where the specification is to run."""
    for library_fits, geometry_fits, kernel in CONV2D:
        if library_fits(xp) and geometry_fits(window, groups):
            return kernel
    return None
