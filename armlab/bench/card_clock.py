"""How long a call takes on a card: between two events around it, behind copies in the queue.

The copies keep the device busy while Python queues the call, twice as long as it takes to, so that
no time of Python's is counted, and they leave nothing of the call's arrays in the caches.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable
from typing import Any

from armlab.places import Place

MOST = 2**28  # bytes of a copy, more than caches hold
BUSY = 4, 64  # copies before a call, at least and at most
ROUNDS, WARM_UP = 50, 5


class Clock:
    """Times calls on a card by events, behind copies of `most` bytes that keep it busy."""

    copied = 0.0  # seconds of such a copy, once known

    def __init__(self, where: Place, most: int, rounds: int) -> None:
        import cupy

        self.cupy: Any = cupy
        self.most, self.rounds = most, rounds
        self.source = cupy.ones(most, dtype="uint8")
        self.target = cupy.empty_like(self.source)
        self.copied = self.seconds(self._copy)

    def seconds(self, call: Callable[[], Any]) -> float:
        """The median of many calls."""
        warm = [self._turn(call, BUSY[0])[1] for _ in range(WARM_UP)]
        copies = self.copies(min(warm))
        return float(statistics.median(self._turn(call, copies)[0] for _ in range(self.rounds)))

    def copies(self, queued: float) -> int:
        """That take twice as long as a call takes to be queued, in seconds, within bounds."""
        least, most = BUSY
        return max(least, min(most, math.ceil(2 * queued / self.copied))) if self.copied else least

    def _turn(self, call: Callable[[], Any], copies: int) -> tuple[float, float]:
        """Seconds of a call on the device, behind so many copies, and of queueing it."""
        start, end = self.cupy.cuda.Event(), self.cupy.cuda.Event()
        for _ in range(copies):
            self._copy()
        began = time.perf_counter()
        start.record()
        call()
        end.record()
        queued = time.perf_counter() - began
        end.synchronize()
        return self.cupy.cuda.get_elapsed_time(start, end) / 1e3, queued

    def copy_gbps(self) -> float:
        """Bytes read and bytes written by a copy on the device, in 10⁹ a second."""
        return 2 * self.most / self.copied / 1e9

    def _copy(self) -> None:
        self.target.data.copy_from_device_async(
            self.source.data, self.most, self.cupy.cuda.get_current_stream()
        )
