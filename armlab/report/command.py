"""A command in a process of its own, so that what breaks a device breaks no other part."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, TextIO

GRACE = 10.0  # seconds in which what is interrupted may still say how far it got


@dataclass(frozen=True)
class Ran:
    """What a command gave, how long it took, and whether it was stopped before its end."""

    code: int
    output: str
    errors: str
    seconds: float
    stopped: bool = False


def last(text: str) -> str:
    """The last line that is not empty."""
    return next((line for line in reversed(text.splitlines()) if line.strip()), "it said nothing")


def run(
    command: Sequence[str],
    seconds: float | None = None,
    environment: Mapping[str, str] | None = None,
    aloud: bool = True,
) -> Ran:
    """What it prints is printed here too as it comes, its output only where that is for people.

    After so many seconds it is interrupted, as by Ctrl-C, and then ended with all that it started.
    """
    started = time.perf_counter()
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
        env=os.environ | {"PYTHONIOENCODING": "utf-8"} | dict(environment or {}),
        process_group=0,
    )
    output = _Heard(process.stdout, sys.stdout if aloud else None)
    errors = _Heard(process.stderr, sys.stderr)
    try:
        stopped = not _ends_within(process, seconds)
        if stopped:
            process.send_signal(signal.SIGINT)
            _ends_within(process, GRACE)
    finally:
        _end_all(process)
    took = time.perf_counter() - started
    return Ran(process.returncode, output.text(), errors.text(), took, stopped)


class _Heard:
    """What comes out of a pipe, line by line, also said to somebody; read by a thread."""

    def __init__(self, pipe: IO[str] | None, to: TextIO | None) -> None:
        assert pipe is not None
        self.pipe, self.to, self.lines = pipe, to, list[str]()
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self) -> None:
        with self.pipe:
            for line in self.pipe:
                self.lines.append(line)
                if self.to:
                    self.to.write(line)
                    self.to.flush()

    def text(self) -> str:
        self.thread.join(GRACE)  # longer only where something outlived the group
        return "".join(self.lines)


def _ends_within(process: subprocess.Popen[str], seconds: float | None) -> bool:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def _end_all(process: subprocess.Popen[str]) -> None:
    """The process and whatever it started and left."""
    with suppress(ProcessLookupError, PermissionError):  # nothing is left; macOS says it otherwise
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
