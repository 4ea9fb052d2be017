"""Ranks: processes, or threads, that each compute on a part of a batch and exchange what they found.

Which of them exchange how is not this package's business: `armlab.parallel` has groups of threads
and of processes.
"""

from __future__ import annotations

from typing import Protocol

from armlab.arrays import Array


class Group(Protocol):
    """The ranks of a run, as one of them sees it.

    rank  which one it is, 0 ... size - 1
    size  how many there are
    """

    rank: int
    size: int

    def gather(self, a: Array) -> Array:
        """Every rank's array, in the order of ranks.  (…) -> (size, …)

        All ranks call it, in one order, each with an array of one shape and dtype; all get the
        same numbers to the last bit. Raises RankError where another rank does not come.
        """


class RankError(RuntimeError):
    """Ranks cannot go on together; the one sentence names the rank that is missing."""
