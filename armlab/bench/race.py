"""Each row at one number of threads: the sides compared, then timed in turns."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from armlab.bench import machine, memory
from armlab.bench.catalogue import about, groups, timed_calls
from armlab.bench.process import AVX2, Process, SideError
from armlab.bench.rounds import BEST, SIDES, summary, take_turns
from armlab.bench.timed_call import TimedCall

PATIENCE = 180  # seconds that one of BEST may take to be ready: compilers may take for ever
SLOW = 20.0  # seconds after which a row has enough rounds

JsonObject = dict[str, Any]  # a run, or a row of it, as --json prints it


@dataclass(frozen=True)
class Plan:
    """What is to be measured, and how; `tell` hears of the progress."""

    names: Sequence[str]
    threads: Sequence[int]
    rounds: int
    best: bool
    memory: bool
    avx2: bool
    tell: Callable[[str], None]


def race(threads: int, names: Iterable[str], plan: Plan, document: JsonObject) -> None:
    """Every row at this number of threads; peaks and rows go into the document."""
    cores, environment = machine.cores()[:threads], AVX2 if plan.avx2 else {}
    with contextlib.ExitStack() as stack:

        def start(side: str) -> Process:
            return stack.enter_context(Process(side, cores, environment))

        processes = {side: start(side) for side in SIDES}
        peaks = {side: process.ask("peaks") for side, process in processes.items()}
        document["peaks"] += [{"threads": threads, "side": s, **p} for s, p in peaks.items()]
        missing = {} if has_compiler() else {"compiled": "no C++ compiler is here"}
        if plan.best:
            processes |= {side: start(side) for side in BEST if side not in missing}
        for name in names:
            plan.tell(f"{name}, {threads} thread{'s' * (threads > 1)}")
            found = head(name, threads) | {"skipped": {**missing} if plan.best else {}}
            row = timed_calls()[name]
            found |= _measure_row(row, processes, plan, found["skipped"])
            processes |= {side: start(side) for side, p in processes.items() if p.ended}
            if row.flops and "ms" in found:
                found["peak_share"] = {
                    side: row.flops / found["ms"][side]["forward"] / 1e6 / p["gflops"]
                    for side, p in peaks.items()
                }
            if plan.memory and "ms" in found:
                found["memory"] = {side: _memory(name, side, cores, environment) for side in SIDES}
            document["rows"].append(found)


def head(name: str, threads: int) -> JsonObject:
    return {"name": name, "group": groups()[name], "threads": threads, "about": about(name)}


def _measure_row(
    row: TimedCall, processes: Mapping[str, Process], plan: Plan, skipped: dict[str, str]
) -> JsonObject:
    """One row, where its sides agree. One of BEST that fails or takes too long is left out."""
    ready: dict[str, Process] = {}
    worst: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder, "results.npz"))
        for side, process in processes.items():
            try:
                process.ask("prepare", PATIENCE if side in BEST else None, row=row.name)
                if side == "hand":
                    process.ask("save", path=path)
                else:
                    errors = process.ask("errors", PATIENCE if side in BEST else None, path=path)
                    key = max(errors, key=lambda k: errors[k])
                    worst[side] = errors[key]
                    if not errors[key] <= row.bound:
                        return {"not_timed": _disagree(row, side, key, errors[key])}
            except SideError as error:
                if side not in BEST:
                    return {"not_timed": f"{row.name} was not timed: {error}"}
                skipped[side] = str(error)
                continue
            ready[side] = process
    return {"errors": worst, **summary(take_turns(ready, plan.rounds, SLOW))}


def _disagree(row: TimedCall, side: str, key: str, error: float) -> str:
    return (
        f"{row.name} was not timed: {key} by hand and of {side} are {error:.1g} apart, "
        f"relative in the norm, and may be {row.bound:g}"
    )


def _memory(
    name: str, side: str, cores: Sequence[int], environment: Mapping[str, str]
) -> JsonObject:
    """The peak of one side in MiB, and over inputs and output, in a process of its own."""
    with Process(side, cores, {**environment, **memory.ENVIRONMENT}) as process:
        process.ask("prepare", row=name)
        found = process.ask("memory")
    if found["extra"] is None:
        return {}
    over = {"over": found["extra"] / found["kept"]} if found["kept"] else {}
    return {"mib": found["extra"] / 2**20, **over}


def has_compiler() -> bool:
    """Whether torch.compile would find one."""
    named = os.environ.get("CXX")
    return any(shutil.which(name) for name in ([named] if named else ["g++", "clang++", "cl"]))
