"""Fast versions: the table says which one runs, and each must equal its specification.

A kernel may name a library, which the rest of `armlab.hand` may not. Where no row fits, the
specification runs, so deleting a row changes speeds and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

from array_api_compat import is_numpy_namespace

from armlab.hand.kernels import conv2d_rows
from armlab.hand.window import Window

CONV2D: list[tuple[Callable[[Any], bool], ModuleType]] = [
    # library            kernel: fits(window, groups), conv2d(x, w, window, groups)
    (is_numpy_namespace, conv2d_rows),
]


def choose_conv2d(xp: Any, window: Window, groups: int) -> Callable[..., Any] | None:
    """The first fast convolution that fits; None where the specification is to run."""
    for library_fits, kernel in CONV2D:
        if library_fits(xp) and kernel.fits(window, groups):
            return kernel.conv2d
    return None
