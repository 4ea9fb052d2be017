"""How a batch is shared out among ranks."""

from __future__ import annotations


def share_of(whole: range, rank: int, size: int) -> range:
    """The part of a rank: one run of the whole, and no part has more than one beyond another.

    Where there are more ranks than images, the last ones get none.
    """
    least, more = divmod(len(whole), size)
    first = rank * least + min(rank, more)
    return whole[first : first + least + (rank < more)]
