"""What the machine is, and what it can do at best in the same run as everything else."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from armlab import __version__
from armlab.installed import version

PRODUCTS = (384, 768, 1536)  # rows of square float32 matrices
COPIED = 2**24  # float32 numbers, more than caches hold
REPEATS = 5


def facts() -> dict[str, Any]:
    """The machine in words, and the versions that ran."""
    return {
        "machine": {
            "processor": _processor(),
            "system": f"{platform.system()} {platform.machine()}",
            "cores": len(cores()),
            "load": round(load(), 2),
        },
        "versions": {
            "python": platform.python_version(),
            "armlab": __version__,
            **{package: version(package) for package in ("numpy", "torch")},
        },
    }


def cores() -> list[int]:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def load() -> float:
    """How many processes wanted to run during the last minute; 0 where the system cannot tell."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0


def peaks(side: str) -> dict[str, float]:
    """The library of this side: its best matrix product in GFLOP/s, its copy in GB/s.

    A product of n×n matrices is 2 n³ flops; a copy reads and writes, so its bytes count twice.
    """
    product, copy = _numpy_calls() if side == "hand" else _torch_calls()
    flops = {n: 2 * n**3 / _best(product(n)) for n in PRODUCTS}
    return {"gflops": max(flops.values()) / 1e9, "gbps": 2 * 4 * COPIED / _best(copy) / 1e9}


def _numpy_calls() -> tuple[Callable[[int], Callable[[], Any]], Callable[[], Any]]:
    import numpy as np

    def product(n: int) -> Callable[[], Any]:
        a, b, c = (np.ones((n, n), np.float32) for _ in range(3))
        return lambda: np.matmul(a, b, out=c)

    source, target = np.ones(COPIED, np.float32), np.zeros(COPIED, np.float32)
    return product, lambda: np.copyto(target, source)


def _torch_calls() -> tuple[Callable[[int], Callable[[], Any]], Callable[[], Any]]:
    import torch

    def product(n: int) -> Callable[[], Any]:
        a, b, c = (torch.ones(n, n) for _ in range(3))
        return lambda: torch.mm(a, b, out=c)

    source, target = torch.ones(COPIED), torch.ones(COPIED)
    return product, lambda: target.copy_(source)


def seconds_of(call: Callable[[], Any], repeats: int) -> list[float]:
    """What each of so many calls takes."""
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return seconds


def _best(call: Callable[[], Any]) -> float:
    """Seconds of the fastest of a few calls: a peak is not a median."""
    return min(seconds_of(call, REPEATS))


def _processor() -> str:
    """Its name where the system tells, as Linux does."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown"
