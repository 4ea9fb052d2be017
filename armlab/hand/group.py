"""Ranks: processes, or threads, each of which computes on a part of a batch and tells the others.

How they exchange is not this package's business: `armlab.parallel` has groups of either kind.
"""

from __future__ import annotations

from typing import Protocol

from armlab.arrays import Array


class Group(Protocol):
    """The ranks of a run, as one of them sees it.

    rank  which one it is, 0 ... size - 1
    size  how many there are

    An exchange is called by all ranks, in one order, each with an array of one shape and dtype.
    All get the same numbers, to the last bit. Raises RankError where another rank does not come.
    """

    rank: int
    size: int

    def gather(self, a: Array) -> Array:
        """Every rank's array, in the order of ranks.  (…) -> (size, …)"""

    def sum(self, a: Array) -> Array:
        """The sum of all ranks' arrays, in their shape."""


class RankError(RuntimeError):
    """Ranks cannot go on together; the one sentence says which and why.

    said  whether the rank that failed says so itself, so that nobody else need
    """

    def __init__(self, sentence: str, said: bool = False) -> None:
        super().__init__(sentence)
        self.said = said
