"""The channels of an array cut into slices, as `cuda/slices.cuh` walks through them.

With one block of threads for a channel a card would be idle, as there are few channels; with
several, these would have to wait for each other. So a kernel writes what it finds of each slice,
and the next one puts that together.
"""

from __future__ import annotations

from typing import Any

from armlab.arrays import Array
from armlab.hand.kernels import cuda

SLICE = 4096  # values of a slice, at least: more where there would be more slices than threads


class Cut:
    """How the channels of x are cut, and launches of a page with a block for each slice.

    most  slices of a channel, where so many are enough
    """

    def __init__(self, page: str, x: Array, most: int = cuda.THREADS) -> None:
        self.page = page
        n, c, h, w = x.shape
        p, m = h * w, max(n * h * w, 1)
        length = max(min(SLICE, m), -(-m // min(most, cuda.THREADS)))
        self.slices = -(-m // length)
        self.blocks, self.like, self.real = c * self.slices, x, x.dtype.type
        images, off = divmod(cuda.THREADS, p)
        sizes = {"n": n, "c": c, "p": p, "slices": self.slices, "length": length}
        further = {"stride": images * c * p + off, "off": off, "gap": (c - 1) * p}
        self.shape = cuda.structure(**sizes, **further)

    def launch(self, kernel: str, *arguments: Any) -> None:
        """One kernel of the page, which takes the shape after its other arguments."""
        cuda.launch_blocks(
            self.page, kernel, self.like, self.blocks, cuda.THREADS, *arguments, self.shape
        )

    def sums(self, count: int, kernel: str, *arguments: Any) -> Any:
        """So many sums of each slice by this kernel; NOTHING where a channel is one slice."""
        if self.slices == 1:
            return cuda.NOTHING
        found = cuda.empty(self.like, (self.blocks, count))
        self.launch(kernel, *arguments, found)
        return found
