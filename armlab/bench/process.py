"""A worker as its parent sees it: started, asked, ended."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import Any

START = [sys.executable, "-m", "armlab.bench.worker"]
AVX2 = {  # what each library is told so that it leaves AVX-512 alone
    "OPENBLAS_CORETYPE": "Haswell",
    "NPY_DISABLE_CPU_FEATURES": "AVX512F AVX512CD AVX512_SKX AVX512_ICL AVX512_SPR X86_V4",
    "ATEN_CPU_CAPABILITY": "avx2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
}
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


class SideError(RuntimeError):
    """A side could not do what it was asked; the sentence says which, and why."""


class Process:
    """One side on these cores, with a thread for each. To be used in a `with` statement.

    The number of threads stands in its environment before it starts: libraries read it once.
    """

    def __init__(
        self, side: str, cores: Sequence[int], environment: Mapping[str, str] | None = None
    ) -> None:
        self.side = side
        count = {name: str(len(cores)) for name in THREADS}
        self._process = subprocess.Popen(
            [*START, side, ",".join(map(str, cores))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
            errors="replace",
            env={**os.environ, **count, **(environment or {})},
        )

    def ask(self, do: str, seconds: float | None = None, **arguments: Any) -> Any:
        """Send a request and wait for its answer. Raises SideError, also after so many seconds."""
        self.send(do, **arguments)
        if seconds is None:
            return self.answer()
        late = threading.Event()

        def end() -> None:
            late.set()
            self._process.kill()

        timer = threading.Timer(seconds, end)
        timer.start()
        try:
            return self.answer()
        except SideError as error:
            raise SideError(f"took over {seconds:g} s" if late.is_set() else error) from None
        finally:
            timer.cancel()

    def send(self, do: str, **arguments: Any) -> None:
        """Ask without waiting, so that two can work at once."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it ended: `answer` says so
            print(json.dumps({"do": do, **arguments}), file=self._process.stdin, flush=True)

    def answer(self) -> Any:
        """What came back; the wait costs no CPU time."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SideError(f"the process of {self.side} ended, exit code {self._process.wait()}")
        found = json.loads(line)
        if "error" in found:
            raise SideError(f"{self.side} failed: {' '.join(found['error'].split())}")
        return found["value"]

    @property
    def ended(self) -> bool:
        return self._process.poll() is not None

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *exception: object) -> None:
        self._process.kill()
        with contextlib.suppress(BrokenPipeError):
            self._process.communicate()
