"""Ranks as threads of one process: what a law about many processes is tried on, in milliseconds."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from armlab.arrays import Array
from armlab.hand.group import Group, RankError
from armlab.places import place_of

Found = TypeVar("Found")


class _Table:
    """Where the arrays of an exchange lie until every rank has taken them."""

    def __init__(self, size: int, seconds: float) -> None:
        self.arrays: list[Array | None] = [None] * size
        self.barrier = threading.Barrier(size, timeout=seconds)
        self.stopped: dict[int, BaseException] = {}  # by rank, what it raised


class ThreadGroup:
    """See `Group`. Made by `in_threads`."""

    def __init__(self, rank: int, size: int, table: _Table) -> None:
        self.rank, self.size, self._table = rank, size, table

    def gather(self, a: Array) -> Array:
        self._table.arrays[self.rank] = a
        self._wait()  # until all have put theirs
        found = place_of(a).xp.stack(self._table.arrays)
        self._wait()  # until all have taken them, so that nobody puts the next too early
        return found

    def sum(self, a: Array) -> Array:
        return place_of(a).xp.sum(self.gather(a), axis=0, dtype=a.dtype)

    def _wait(self) -> None:
        try:
            self._table.barrier.wait()
        except threading.BrokenBarrierError:
            stopped = sorted(self._table.stopped)
            who = f"rank {stopped[0]} has stopped" if stopped else "another rank did not come"
            raise RankError(f"rank {self.rank} waited in an exchange, and {who}") from None


def in_threads(size: int, work: Callable[[Group], Found], seconds: float = 60.0) -> list[Found]:
    """What `work` returns on each of so many ranks, in their order.

    seconds  how long a rank waits for the others in one exchange

    Raises what the lowest rank that failed has raised; the others stop at their next exchange.
    """
    table = _Table(size, seconds)

    def on(rank: int) -> Found:
        try:
            return work(ThreadGroup(rank, size, table))
        except BaseException as error:
            if not isinstance(error, RankError):
                table.stopped[rank] = error
            table.barrier.abort()
            raise

    with ThreadPoolExecutor(size) as pool:
        ranks = [pool.submit(on, rank) for rank in range(size)]
    if table.stopped:
        raise table.stopped[min(table.stopped)]
    return [rank.result() for rank in ranks]
