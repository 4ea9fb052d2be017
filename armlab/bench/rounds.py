"""The sides take turns, and what comes out of that is summed up."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

SIDES = ("hand", "torch")
BEST = ("channels_last", "compiled")  # of torch's other ways, the faster one
LEAST = 0.1  # seconds of calls in one turn
ENOUGH = 5  # rounds, where a row is slow
PARTS = ("both", "forward", "backward")

Times = Mapping[str, Sequence[float]]  # seconds of each round, by side


class Asked(Protocol):
    def ask(self, do: str, seconds: float | None = None, **arguments: Any) -> Any: ...


@dataclass(frozen=True)
class Ratio:
    """The median over the rounds of one side's time over another's, and the quartiles."""

    median: float
    low: float
    high: float


def take_turns(
    sides: Mapping[str, Asked], rounds: int, seconds: float
) -> dict[str, dict[str, list[float]]]:
    """Seconds of a call, by part ("both", "forward", "backward") and side, one for each round.

    In each round every side has one turn, and another one is the first. After `seconds`, a few
    rounds are enough. A turn before the first round is not counted.
    """
    found: dict[str, dict[str, list[float]]] = {p: {side: [] for side in sides} for p in PARTS}
    for process in sides.values():
        process.ask("time", least=LEAST)
    names, start = list(sides), time.perf_counter()
    for turn in range(rounds):
        if turn >= ENOUGH and time.perf_counter() - start > seconds:
            break
        first = turn % len(names)
        for side in names[first:] + names[:first]:
            took = sides[side].ask("time", least=LEAST)
            for part in ("forward", "backward"):
                found[part][side].append(took[part])
            found["both"][side].append(took["forward"] + took["backward"])
    return found


def ratio(over: Sequence[float], under: Sequence[float]) -> Ratio:
    """Round by round, as what disturbs the machine disturbs both sides of a round."""
    ratios = [a / b for a, b in zip(over, under, strict=True)]
    if len(ratios) == 1:
        return Ratio(*ratios * 3)
    low, median, high = statistics.quantiles(ratios, n=4, method="inclusive")
    return Ratio(median, low, high)


def summary(seconds: Mapping[str, Mapping[str, Sequence[float]]]) -> dict[str, Any]:
    """Medians in milliseconds, ratios of hand to torch, and to the better of BEST."""
    both = seconds["both"]
    ms = {
        side: {part: 1e3 * statistics.median(seconds[part][side]) for part in PARTS}
        for side in both
    }
    ratios = {part: asdict(ratio(seconds[part]["hand"], seconds[part]["torch"])) for part in PARTS}
    found: dict[str, Any] = {"rounds": len(both["hand"]), "ms": ms, "ratio": ratios}
    others = [side for side in BEST if side in ms]
    if others:
        best = min(others, key=lambda side: ms[side]["both"])
        found["best"] = {"side": best, "ratio": asdict(ratio(both["hand"], both[best]))}
    return found


def exponent(sizes: Sequence[float], times: Sequence[float]) -> float:
    """p of time ~ size^p: the slope of the line through the logarithms."""
    line = statistics.linear_regression([*map(math.log, sizes)], [*map(math.log, times)])
    return line.slope
