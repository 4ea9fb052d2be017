"""A part of a report: what it says, whether all is well there, and the time that it may take."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

from armlab.report.command import Ran

NO_TIME = "Not run: no time was left."


@dataclass(frozen=True)
class Part:
    """One part of the page.

    good     nothing is wrong in what was seen
    whole    it was not stopped before its end
    seconds  that it took
    """

    good: bool
    lines: Sequence[str]
    whole: bool = True
    seconds: float | None = None

    def after(self, *runs: Ran) -> Self:
        """With a sentence where one of these was stopped."""
        stopped = [ran for ran in runs if ran.stopped]
        if not stopped:
            return self
        words = "no time was left, what stands here is what there was by then"
        lines = [*self.lines, "", f"Stopped after {stopped[0].seconds:.0f} s: {words}."]
        return replace(self, lines=lines, whole=False)


class Time:
    """A budget for all parts, in minutes; without one there is an hour for each command."""

    HOUR = 3600.0

    def __init__(self, minutes: float | None = None) -> None:
        self.end = None if minutes is None else time.monotonic() + 60 * minutes

    def left(self) -> float:
        """Seconds that the next command may take; 0 where it is not to begin."""
        if self.end is None:
            return self.HOUR
        return min(max(0.0, self.end - time.monotonic()), self.HOUR)
