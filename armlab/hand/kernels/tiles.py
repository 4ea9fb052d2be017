"""Arrays seen along an axis, and the tiles of `cuda/tile.cuh` that take them so.

Means, maxima and the gradient of a gate are all one number from what lies along one axis, or along
neighbouring ones: what differs is which.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

from armlab.arrays import Array
from armlab.hand.kernels import cuda


@dataclass(frozen=True)
class Along:
    """An array as (before, count, after), of which each (before, after) gives one result.

    images  so many of it, one behind the other, that go into one result
    """

    before: int
    count: int
    after: int
    images: int = 1

    @classmethod
    def axes(cls, shape: tuple[int, ...], first: int, stop: int) -> Along:
        """Along the axes from this one to before that one."""
        return cls(prod(shape[:first]), prod(shape[first:stop]), prod(shape[stop:]))

    @property
    def rows(self) -> int:
        """How many threads share the terms of a result; the others of a block have other results.

        As many as there are terms, but so that 32 neighbours in memory are read together.
        """
        return min(_power_of_two(self.count), cuda.THREADS // min(_power_of_two(self.after), 32))

    def numbers(self) -> Any:
        """As `struct Along`."""
        sizes = {"images": self.images, "before": self.before, "count": self.count}
        return cuda.structure(**sizes, after=self.after, rows=self.rows)


def launch(page: str, kernel: str, like: Array, along: Along, *arguments: Any) -> None:
    """Launch a kernel in tiles: enough blocks for all results."""
    lanes = cuda.THREADS // along.rows
    blocks = -(-along.before * along.after // lanes)
    cuda.launch_blocks(page, kernel, like, blocks, cuda.THREADS, *arguments)


def _power_of_two(n: int) -> int:
    """The least that is at least n, and at most the threads of a block."""
    return int(min(1 << max(n - 1, 0).bit_length(), cuda.THREADS))
