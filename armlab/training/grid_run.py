"""The runs of a grid: one by one in this process, or side by side, each in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

from armlab.terminal import at_terminal
from armlab.training.checkpoint import CHECKPOINT
from armlab.training.config import Config
from armlab.training.loop import RunProgress, resume, train
from armlab.training.run import Run, TrainingError
from armlab.training.run_lock import wait_until_free
from armlab.training.run_progress import TerminalRunProgress

LAST_STEP = 30.0  # seconds for a run of a killed grid to end the step that it is at
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


Record = dict[str, Any]  # attention, seed and the result of one run


class GridProgress(Protocol):
    """Who is told how a grid goes."""

    def run(self, config: Config) -> RunProgress | None:
        """A run begins or goes on: who is to be told of it."""

    def done(self, record: Record) -> None:
        """A run is finished, now or before."""


def folder(config: Config, out: Path) -> Path:
    """Where a run of the grid in `out` is kept."""
    return out / config.attention / f"seed{config.seed}"


def advance(config: Config, out: Path, progress: RunProgress | None) -> Run:
    """One run of the grid, from where it stands to its end."""
    path = folder(config, out)
    wait_until_free(path, LAST_STEP)
    return resume(path, progress) if (path / CHECKPOINT).exists() else train(config, path, progress)


def one_by_one(configs: list[Config], out: Path, progress: GridProgress) -> Iterator[Run]:
    """Each run, once it is finished."""
    for config in configs:
        yield advance(config, out, progress.run(config))


def side_by_side(configs: list[Config], out: Path, jobs: int) -> Iterator[Run]:
    """The same, in whatever order they finish; their progress goes to standard error as lines.

    Ctrl-C, an error in one run, or the end of this process stop all of them at their next step,
    with their checkpoints saved. Raises TrainingError where one failed.
    """
    waiting, running = list(configs), dict[Path, subprocess.Popen[bytes]]()
    described = False  # the data, by the first of the runs
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                config = waiting.pop(0)
                running[folder(config, out)] = _start(config, out, described)
                described = True
            time.sleep(0.1)
            for path, process in list(running.items()):
                if process.poll() is None:
                    continue
                del running[path]
                _ask_to_stop(process)  # it has, and its pipe is closed
                if process.returncode:
                    raise TrainingError(
                        f"the run in {path} ended with exit code {process.returncode}, and the "
                        f"others stopped: go on with  armlab ablate --resume {out}"
                    )
                yield Run.resume(path)
    finally:
        for process in running.values():
            _ask_to_stop(process)
        for process in running.values():
            process.wait()


def _start(config: Config, out: Path, described: bool) -> subprocess.Popen[bytes]:
    """A process that ends by itself when its standard input does, and hears no Ctrl-C."""
    settings = json.dumps(config.to_dict())
    return subprocess.Popen(
        [
            sys.executable,
            "-m",
            "armlab.training.grid_run",
            settings,
            str(out),
            "described" * described,
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        env=os.environ | ONE_THREAD,
        start_new_session=True,
    )


def _ask_to_stop(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    process.stdin.close()


def _stop_with_the_parent() -> None:
    os.read(0, 1)  # nothing is ever written there: it returns when the pipe is closed
    os.kill(os.getpid(), signal.SIGINT)


def main(settings: str, out: str, described: str) -> int:
    """The process of one run."""
    config = Config(**json.loads(settings))
    label = f"{config.attention} seed {config.seed}"
    try:
        threading.Thread(target=_stop_with_the_parent, daemon=True).start()
        progress = TerminalRunProgress(False, label, bar=False, described=bool(described))
        advance(config, Path(out), progress)
    except KeyboardInterrupt:
        return 130
    except (ValueError, RuntimeError, OSError) as error:
        print(f"{label}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    with at_terminal():
        sys.exit(main(*sys.argv[1:]))
