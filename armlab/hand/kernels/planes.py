"""Arrays seen as planes, and the blocks of `cuda/planes.cuh`, a thread of which has several.

A pixel of a resized or pooled map is the same sum in each plane: where its terms are, and their
weights, a thread computes once.
"""

from __future__ import annotations

from typing import Any

from armlab.arrays import Array
from armlab.hand.kernels import cuda


def of_thread(like: Array) -> int:
    """How many planes a thread has, `PLANES` of the page."""
    return int(32 // like.itemsize)


def launch(
    page: str, kernel: str, like: Array, each: int, planes: int, positions: int, *arguments: Any
) -> None:
    """Launch a kernel for so many planes, `each` to a thread, of so many positions."""
    across = -(-positions // cuda.THREADS)
    wide = -(-positions // max(across, 1))  # alike, so that few threads have no position
    high = cuda.THREADS // max(wide, 1)
    grid = across, *cuda.along_y_and_z(-(-planes // (each * high)))
    cuda.launch_blocks(page, kernel, like, grid, (wide, high), *arguments)
