"""The memory of this machine, to refuse in a sentence what cannot fit instead of being killed."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

GROUP_LIMITS = tuple(  # of a container; version 2, version 1
    Path("/sys/fs/cgroup", name) for name in ("memory.max", "memory/memory.limit_in_bytes")
)
UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")


def machine_memory() -> int | None:
    """Bytes as the system says them, or a container's limit; None where nobody says."""
    found = []
    with contextlib.suppress(AttributeError, ValueError, OSError):  # no sysconf, no such name
        found.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    for path in GROUP_LIMITS:
        with contextlib.suppress(OSError, ValueError):  # "max" is none
            found.append(int(path.read_text(encoding="utf-8")))
    return min((n for n in found if n > 0), default=None)


def expect_room(needed: int, what: str, remedy: str) -> None:
    """Raise ValueError where more bytes are needed than the machine has.

    what    the subject of the sentence: "a step of this run"
    remedy  what to do: "give fewer --steps"
    """
    there = machine_memory()
    if there is not None and needed > there:
        raise ValueError(
            f"{what} needs at least {in_words(needed)} of memory, and this machine has "
            f"{in_words(there)}: {remedy}"
        )


def in_words(count: int) -> str:
    """25769803776 bytes are "24 GiB"."""
    power = min((max(count, 1).bit_length() - 1) // 10, len(UNITS) - 1)
    if count < 10_000 * 1024**power:
        return f"{count / 1024**power:.4g} {UNITS[power]}"
    return f"{count // 1024**power:,} {UNITS[power]}"
