"""Memory that a training step frees is what the next step needs: keep it."""

from __future__ import annotations

import ctypes
import os

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD = -1, -2, -3  # of glibc's malloc.h
RESERVE = 2**30  # bytes of address space; memory is used only once it is written to


def keep_freed_memory() -> bool:
    """Ask the C library not to hand freed memory back to the system after every array.

    glibc returns the end of its heap as soon as it is free, and the next array there has every
    page mapped anew: thousands of page faults a step, a fifth of the time of a toy training. The
    other threads' heaps do so too, and large arrays have pages of their own unless told otherwise.
    `armlab bench` does this for both sides. Does nothing, and returns False, where a MALLOC_
    variable of the environment decides already and where the C library is another one.
    """
    if any(name.startswith("MALLOC_") for name in os.environ):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
        for option in (M_TRIM_THRESHOLD, M_MMAP_THRESHOLD):
            mallopt(option, RESERVE)
        return bool(mallopt(M_TOP_PAD, RESERVE))
    except (AttributeError, OSError, TypeError):
        return False
