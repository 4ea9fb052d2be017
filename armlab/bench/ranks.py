"""Images per second of training on several processes, next to threads and to PyTorch's own way.

    python -m armlab.bench.ranks --processes 1 2 4 --batch 16

Each way is started anew in each round, and each round begins with another one; a figure is the
median of the rounds. All ways draw the same batches, and one of several processes has one thread.

Beside it stands what `armlab.cost.scale` predicts of the ways by hand. Measured for it are a step
of one process on a part of the batch, alone with its statistics or in a group of one, and on two
processes a gather of one number and a sum of 16 MiB. Processes beyond the cores take turns on them.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from armlab.bench import machine
from armlab.bench.rank_steps import LARGE
from armlab.bench.rank_tables import as_text
from armlab.cost.exchanges import Exchange, exchanges
from armlab.cost.scale import Rank
from armlab.json_text import as_json
from armlab.parallel.launch import launch
from armlab.terminal import at_terminal
from armlab.training.config import Config
from armlab.training.start import expect_parts, make_net

WORKER = "armlab.bench.rank_steps"
Found = dict[str, Any]


@dataclass(frozen=True)
class Way:
    """One way to train on the same batches."""

    backend: str
    processes: int
    threads: int = 1
    sync: bool = False
    batch: int | None = None  # another than all others have: a part, for the prediction

    def __str__(self) -> str:
        engine = "by hand" if self.backend == "numpy" else "PyTorch"
        more = ", synchronised" if self.sync else ""
        return (
            f"{engine}, {_counted(self.processes, 'process')}"
            f"{', ' + _counted(self.threads, 'thread') if self.threads > 1 else ''}{more}"
        )

    def settings(self, common: Found) -> Found:
        """Of a run, with those that all ways have in common. Raises ValueError where they clash."""
        own = {"backend": self.backend, "threads": self.threads, "sync_batch_norm": self.sync}
        given = common | own | ({"batch": self.batch} if self.batch else {})
        expect_parts(Config(**given), self.processes)
        return given

    def seconds(self, settings: Found, steps: int, folder: Path) -> Found:
        """Run it: what `rank_steps.measure` found."""
        file = folder / "found.json"
        arguments = [json.dumps(self.settings(settings)), str(steps), str(file)]
        if self.processes == 1 and not self.sync:
            command = [sys.executable, "-m", WORKER, *arguments]
            code = subprocess.run(command, check=False).returncode
        else:
            code = launch(self.processes, arguments, WORKER)
        if code:
            raise RuntimeError(f"{self} ended with exit code {code}")
        found: Found = json.loads(file.read_text(encoding="utf-8"))
        file.unlink()
        return found


def ways(processes: Sequence[int], batch: int, cores: int) -> Iterator[Way]:
    """Those that are compared, and those that the prediction needs."""
    for backend in ("numpy", "torch"):
        yield Way(backend, 1)
        if cores > 1:
            yield Way(backend, 1, cores)
        for count in processes:
            if count > 1:
                yield Way(backend, count)
                if backend == "numpy":
                    yield Way(backend, count, sync=True)
    for part in dict.fromkeys(-(-batch // count) for count in processes if count > 1):
        yield from (Way("numpy", 1, sync=sync, batch=part) for sync in (False, True))


def measure(settings: Found, processes: Sequence[int], steps: int, rounds: int) -> Found:
    """Machine, versions, "rows" of what was timed and "model", what was predicted of it."""
    config = Config(**settings)
    every = list(ways(processes, config.batch, len(machine.cores())))
    for way in every:  # refused before minutes of work
        way.settings(settings)
    found: dict[Way, list[Found]] = {way: [] for way in every}
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(rounds):
            first = turn % len(every)
            for way in every[first:] + every[:first]:
                found[way].append(way.seconds(settings, steps, Path(folder)))
    medians = {way: _median(runs, "step") for way, runs in found.items()}
    alone = medians[every[0]]
    rows = [
        {"way": str(way), "ms": 1e3 * s, "images_per_second": config.batch / s, "times": alone / s}
        for way, s in medians.items()
        if not way.batch
    ]
    twos = [run for way, runs in found.items() if way.processes == 2 for run in runs]
    model = _model(config, medians, twos) if twos else {}
    return {**machine.facts(), "settings": settings, "steps": steps, "rows": rows, "model": model}


def _model(config: Config, medians: dict[Way, float], twos: Sequence[Found]) -> Found:
    """What a rank reaches, and for each way by hand the predicted and the measured step."""
    latency = _median(twos, "small")
    large = Exchange("large", "sum", LARGE)
    on_the_way = max(_median(twos, "large") - large.messages(2) * latency, 1e-9)
    rank = Rank(0.0, latency, large.sent(2) / on_the_way)
    net, cores, steps = make_net(config), len(machine.cores()), []
    for way, measured in medians.items():
        if way.backend != "numpy" or way.threads > 1 or way.batch:
            continue
        part = -(-config.batch // way.processes)
        own = way if way.processes == 1 else Way("numpy", 1, sync=way.sync, batch=part)
        turns = max(1.0, way.processes / cores)
        exchange = rank.seconds(exchanges(net, way.sync), way.processes)
        predicted = medians[own] * turns + exchange
        steps.append(
            {
                "way": str(way),
                "part": part,
                "computes_ms": 1e3 * medians[own] * turns,
                "exchange_ms": 1e3 * exchange,
                "predicted_ms": 1e3 * predicted,
                "measured_ms": 1e3 * measured,
            }
        )
    return {"latency_us": 1e6 * latency, "gbps": rank.bandwidth / 1e9, "steps": steps}


def _median(found: Sequence[Found], key: str) -> float:
    return float(statistics.median(run[key] for run in found))


def _counted(count: int, what: str) -> str:
    plural = "es" if what.endswith("s") else "s"
    return f"{count} {what}{plural if count > 1 else ''}"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m armlab.bench.ranks")
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2], metavar="N")
    parser.add_argument("--model", default="toy")
    parser.add_argument("--attention", default="arm")
    parser.add_argument("--batch", type=int, default=16, help="images, shared out; default 16")
    parser.add_argument("--size", default="64", help="of an image, default 64")
    parser.add_argument("--steps", type=int, default=20, help="that are timed, default 20")
    parser.add_argument("--rounds", type=int, default=5, help="default 5")
    parser.add_argument("--json", action="store_true", help="print as JSON")
    args = parser.parse_args(arguments)
    settings = {name: getattr(args, name) for name in ("model", "attention", "batch", "size")}
    try:
        if min(args.processes + [args.steps, args.rounds]) < 1:
            raise ValueError("expected --processes, --steps and --rounds of at least 1")
        document = measure(settings, args.processes, args.steps, args.rounds)
    except (ValueError, RuntimeError) as error:
        parser.error(str(error))
    print(as_json(document) if args.json else as_text(document))
    return 0


if __name__ == "__main__":
    with at_terminal():
        sys.exit(main())
