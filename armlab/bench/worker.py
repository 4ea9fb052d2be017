"""One side in a process of its own: it reads a request a line, and answers each with a line.

python -m armlab.bench.worker SIDE CORES, with cores as in 0,1. A request is {"do": name, …} in
JSON, for a method of `Worker`; the answer is {"value": …} or {"error": a sentence}. It ends with
its input, so it does not outlive its parent.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from contextlib import nullcontext
from typing import Any

from armlab.bench.catalogue import timed_calls
from armlab.training.memory import keep_freed_memory
from armlab.training.threads import threads

REQUESTS = ("prepare", "save", "errors", "time", "memory", "peaks")
PAUSE, ENOUGH = 0.005, 3  # seconds, and how many of them without work mean that threads sleep


class Worker:
    """What a side can be asked for. Heavy imports wait until the cores are chosen."""

    def __init__(self, side: str, threads: int) -> None:
        self.side, self.threads = side, threads
        if side != "hand":
            import torch

            keep_freed_memory()
            torch.set_num_threads(threads)

    def prepare(self, row: str) -> None:
        """Make the row the one that is asked about, with its arrays and weights anew."""
        if self.side == "hand":
            from armlab.bench import hand_side

            self.task = hand_side.ready(timed_calls()[row])
        else:
            from armlab.bench import torch_side

            self.task = torch_side.ready(timed_calls()[row], self.side)

    def save(self, path: str) -> None:
        """Run once, and write y and the gradients to a file."""
        import numpy as np

        np.savez(path, allow_pickle=False, **self.task.run())

    def errors(self, path: str) -> dict[str, float]:
        """Run once; how far each result is from the one in the file, relative in the norm."""
        import numpy as np

        from armlab.bench.agreement import errors

        with np.load(path) as others:
            return errors(self.task.run(), dict(others))

    def time(self, least: float) -> dict[str, float]:
        """Seconds a call takes, on average over calls that together take at least so long.

        One call goes before them: it finds the caches as the other side has left them.
        """
        self.task.run()
        forward = backward = 0.0
        calls = 0
        while not calls or forward + backward < least:
            start = time.perf_counter()
            y, pull = self.task.forward()
            middle = time.perf_counter()
            grads = pull()
            del y, pull, grads  # to give the memory back is part of the work
            end = time.perf_counter()
            forward, backward, calls = forward + middle - start, backward + end - middle, calls + 1
        return {"forward": forward / calls, "backward": backward / calls}

    def memory(self) -> dict[str, int | None]:
        """The most bytes that a call holds beyond what stood before it; those of x and y."""
        from armlab.bench.memory import peak_extra

        return {"extra": peak_extra(self.task), "kept": self.task.bytes}

    def peaks(self) -> dict[str, float]:
        """What these threads can do at best: GFLOP/s of a matrix product, GB/s of a copy."""
        from armlab.bench.machine import peaks

        return peaks(self.side)

    def settle(self) -> None:
        """Return when the threads of the libraries have stopped spinning, a while after their work.

        Then a process that waits for its turn takes nothing from the one whose turn it is.
        """
        quiet = 0 if self.threads > 1 else ENOUGH
        while quiet < ENOUGH:
            before = time.process_time()
            time.sleep(PAUSE)
            spun = time.process_time() - before > PAUSE / 10
            quiet = 0 if spun else quiet + 1


def main(side: str, cores: str) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends this one
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever a library prints is no answer
    chosen = [int(core) for core in cores.split(",")]
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, chosen)
    worker = Worker(side, len(chosen))
    with threads(len(chosen)) if side == "hand" else nullcontext():
        for line in sys.stdin:
            print(json.dumps(_answer(worker, json.loads(line))), file=answers, flush=True)


def _answer(worker: Worker, request: dict[str, Any]) -> dict[str, Any]:
    name = request.pop("do")
    assert name in REQUESTS, name
    try:
        value = getattr(worker, name)(**request)
    except Exception as error:  # the parent has to say it: nobody reads what this process prints
        return {"error": f"{type(error).__name__}: {error}"}
    worker.settle()
    return {"value": value}


if __name__ == "__main__":
    main(*sys.argv[1:])
