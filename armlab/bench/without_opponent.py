"""Rows without an opponent: two runs side by side, and start-up."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from dataclasses import asdict
from typing import Any

from armlab.bench.catalogue import TRAINING
from armlab.bench.machine import cores
from armlab.bench.process import Process
from armlab.bench.rounds import ratio

TURN = 0.3  # seconds of steps in one turn: both processes begin and end at nearly one time
IMPORT = """
import time, numpy
start = time.perf_counter()
from armlab import hand
print(time.perf_counter() - start)
"""
TARGETS = {"import": 150, "help": 300}  # milliseconds
FRESH = 7  # processes at least: they differ more than calls do


def measure(name: str, rounds: int) -> dict[str, Any]:
    """The row of this name: its ratio or its milliseconds, and what was aimed at."""
    if name == "side-by-side":
        return side_by_side(rounds)
    seconds = _import if name == "import" else _help
    seconds()  # once for the files to be read and compiled
    taken = [seconds() for _ in range(max(rounds, FRESH))]
    return {"ms": {"hand": {"both": 1e3 * statistics.median(taken)}}, "target_ms": TARGETS[name]}


def side_by_side(rounds: int) -> dict[str, Any]:
    """A training step while another process runs the same on another core, over one alone.

    Each has one core and one thread; 1 means that they do not slow each other at all.
    """
    available = cores()
    if len(available) < 2:
        return {"skipped": {"hand": "two runs side by side need two cores"}}
    alone: list[float] = []
    together: list[float] = []
    with Process("hand", available[:1]) as one, Process("hand", available[1:2]) as other:
        for process in (one, other):
            process.ask("prepare", row=TRAINING[0].name)
            process.ask("time", least=0)
        for _ in range(rounds):
            alone += [_seconds(process.ask("time", least=TURN)) for process in (one, other)]
            for process in (one, other):
                process.send("time", least=TURN)
            together += [_seconds(process.answer()) for process in (one, other)]
    both = {"alone": alone, "together": together}
    return {
        "rounds": rounds,
        "ms": {name: {"both": 1e3 * statistics.median(s)} for name, s in both.items()},
        "ratio": {"both": asdict(ratio(together, alone))},
    }


def _seconds(took: dict[str, float]) -> float:
    return took["forward"] + took["backward"]


def _import() -> float:
    """Seconds that the modules by hand take to import, beyond NumPy."""
    done = subprocess.run(
        [sys.executable, "-c", IMPORT], capture_output=True, encoding="utf-8", errors="replace"
    )
    done.check_returncode()
    return float(done.stdout)


def _help() -> float:
    """Seconds from the command to its end."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-m", "armlab", "--help"], capture_output=True, check=True)
    return time.perf_counter() - start
