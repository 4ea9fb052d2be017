"""A command in a process of its own, so that what breaks a device breaks no other part."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Ran:
    """What a command gave, and how long it took."""

    code: int
    output: str
    errors: str
    seconds: float


def last(text: str) -> str:
    """The last line that is not empty."""
    return next((line for line in reversed(text.splitlines()) if line.strip()), "it said nothing")


def run(command: list[str], seconds: float | None = None) -> Ran:
    """TimeoutExpired where it takes longer than so many seconds."""
    started = time.perf_counter()
    done = subprocess.run(
        command,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=seconds,
        env=os.environ | {"PYTHONIOENCODING": "utf-8"},
    )
    sys.stdout.write(done.stdout)
    sys.stderr.write(done.stderr)
    return Ran(done.returncode, done.stdout, done.stderr, time.perf_counter() - started)
