"""The most memory that a call holds, as the kernel counts it: alike for any library.

Measured in a fresh process that gives memory back to the system as soon as it is freed (see
ENVIRONMENT), after a first call, so that what libraries keep for themselves does not count. The
kernel's own count is good to about a quarter of a MiB. Linux alone can be asked for it.
"""

from __future__ import annotations

import gc
import re
from pathlib import Path

from armlab.bench.ready_call import ReadyCall

ENVIRONMENT = {
    "MALLOC_MMAP_THRESHOLD_": "65536",  # larger blocks are given back alone
    "MALLOC_TRIM_THRESHOLD_": "0",  # and smaller ones as soon as they are the last
    "MALLOC_ARENA_MAX": "1",
    "NUMPY_MADVISE_HUGEPAGE": "0",  # huge pages would round up by 2 MiB
}
RESET, STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")


def peak_extra(task: ReadyCall) -> int | None:
    """Bytes beyond those that stood before the call: inputs, weights and dy are not counted,
    y, what backward keeps, gradients and scratch are. None where the system cannot be asked."""
    if not RESET.exists():
        return None
    _call(task)
    gc.collect()
    RESET.write_bytes(b"5")  # the high-water mark starts again from here
    before = _kib("VmRSS")
    _call(task)
    return max(_kib("VmHWM") - before, 0) * 1024


def _call(task: ReadyCall) -> None:
    y, backward = task.forward()
    grads = backward()
    del y, backward, grads


def _kib(name: str) -> int:
    found = re.search(rf"^{name}:\s+(\d+) kB$", STATUS.read_text(encoding="utf-8"), re.MULTILINE)
    assert found is not None, f"{STATUS} has no {name}"
    return int(found.group(1))
