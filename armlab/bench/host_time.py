"""How long the host takes for a step of training by hand on CuPy, whatever the card does meanwhile.

    python -m armlab.bench.host_time              # milliseconds, and microseconds for each launch
    python -m armlab.bench.host_time --profile    # and the functions that they go into

A card works while the host prepares the next launch, so a step is no shorter than the longer of the
two. Here the device is the emulated one, and idle: all that is left is Python, NumPy, CuPy, and a
call of the emulated device for each launch, which checks and counts it. A step is that of the
learner; it reads the loss, and so has two launches more than `armlab launches` counts.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import statistics
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from armlab import emulator, hand
from armlab.arrays import Array
from armlab.bench import hand_parts
from armlab.bench.card_steps import STEPS, turns
from armlab.bench.launches import queued_by
from armlab.bench.yardstick import Row
from armlab.places import Place, place
from armlab.terminal import at_terminal
from armlab.training.hand_learner import HandLearner

PROFILED, FUNCTIONS = 20, 30  # steps, and how many functions are printed
Step = Callable[[], Any]


@dataclass(frozen=True)
class HostTime:
    """Of one step: milliseconds of the host in each turn, and launches."""

    ms: Sequence[float]
    launches: int

    def __str__(self) -> str:
        median, count = statistics.median(self.ms), self.launches
        took = f"{median:.2f} ms, at least {min(self.ms):.2f}"
        return f"{took}; {count} launches, {1e3 * median / count:.0f} µs each"


class _Unread(HandLearner):
    def expect_finite(self, named: Iterator[tuple[str, Array]]) -> None:
        """What an idle device leaves of a loss says nothing."""


def steps(rows: Sequence[Row], here: Place) -> dict[str, Step]:
    """A step of each network, of which two have been taken: kernels and arrays are there."""
    made: dict[str, Step] = {}
    for row in rows:
        net = getattr(hand, row.module)(**row.given, rng=hand_parts.SEED)
        batch = hand_parts.drawn_batch(net, row.shape)
        learner = _Unread(net.to(here), hand_parts.OPTIMISERS["adam"]())
        made[row.module] = partial(learner.step, *batch, hand_parts.RATE)
        for _ in range(2):
            made[row.module]()
    return made


def measure(steps: Mapping[str, Step]) -> dict[str, HostTime]:
    """By network. They take turns on an idle device."""
    with emulator.idle():
        took = turns(steps)
        return {name: HostTime(ms, queued_by(steps[name])) for name, ms in took.items()}


def profile(step: Step) -> None:
    """Print where the host's time goes, function by function."""
    profiler = cProfile.Profile()
    with emulator.idle(), profiler:
        for _ in range(PROFILED):
            step()
    pstats.Stats(profiler).sort_stats("tottime").print_stats(FUNCTIONS)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a line for each network. 1 where there can be no emulated device."""
    parser = argparse.ArgumentParser(prog="python -m armlab.bench.host_time")
    parser.add_argument("--profile", action="store_true", help="function by function as well")
    args = parser.parse_args(arguments)
    try:
        here = place("emulated")
    except RuntimeError as error:
        print(f"host_time: {error}", file=sys.stderr)
        return 1
    each = steps(STEPS, here)
    for name, found in measure(each).items():
        print(f"a step of {name}: {found}")
        if args.profile:
            profile(each[name])
    return 0


if __name__ == "__main__":
    with at_terminal():
        sys.exit(main())
