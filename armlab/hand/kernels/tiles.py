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

FULL = 1 << 18  # threads: a large card has about so many at once
EACH = 8  # terms of a thread, at most, where blocks share them


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

        As many as there are terms, but where results alone fill a card: then adding up the rows is
        saved.
        """
        return self._rows(-(-FULL // max(self.before * self.after, 1)))

    @property
    def few_rows(self) -> int:
        """So many that a thread has EACH terms."""
        return self._rows(-(-self.count // EACH))

    def _rows(self, wanted: int) -> int:
        """A power of two, so that 32 neighbours in memory are read together, or all there are."""
        beside = 32 if self.after == 1 else 1
        rows = _power_of_two(min(max(wanted, beside), self.count))
        return min(rows, cuda.THREADS // min(_power_of_two(self.after), 32))

    @property
    def terms(self) -> int:
        """How many a thread has, where blocks share those of a result."""
        return min(EACH, -(-self.count // self.few_rows))

    def numbers(self) -> Any:
        """As `struct Along`."""
        sizes = {"images": self.images, "before": self.before, "count": self.count}
        return cuda.structure(**sizes, after=self.after, terms=self.terms)


def launch(page: str, kernel: str, like: Array, along: Along, *arguments: Any) -> None:
    """Launch a kernel in tiles: enough blocks for all results."""
    _launch(page, kernel, like, along, along.rows, (1, 1), *arguments)


def launch_shared(page: str, kernel: str, like: Array, along: Along, *arguments: Any) -> None:
    """Launch a kernel that does not put terms together: blocks share those of a result."""
    rows = along.few_rows
    parts = cuda.along_y_and_z(-(-along.count // max(rows * along.terms, 1)))
    _launch(page, kernel, like, along, rows, parts, *arguments)


def _launch(
    page: str, kernel: str, like: Array, along: Along, rows: int, parts: tuple[int, int], *rest: Any
) -> None:
    lanes = cuda.THREADS // rows
    grid = -(-along.before * along.after // lanes), *parts
    threads = (rows, lanes) if along.after == 1 else (lanes, rows)
    cuda.launch_blocks(page, kernel, like, grid, threads, *rest)


def _power_of_two(n: int) -> int:
    """The least that is at least n, and at most the threads of a block."""
    return int(min(1 << max(n - 1, 0).bit_length(), cuda.THREADS))
