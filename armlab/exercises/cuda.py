"""The CUDA device that a lesson runs on: a card where CuPy finds one, else the emulated one."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from armlab import emulator
from armlab.arrays import Place, emulated, place

ASK = "import cupy; cupy.cuda.runtime.getDeviceCount()"  # raises where there is none


@cache
def card_answers() -> bool:
    """Whether CuPy finds a card; asked in another process.

    In this one CuPy must not be imported yet: it would look for its device, and none could be
    emulated any more.
    """
    return subprocess.run([sys.executable, "-c", ASK], capture_output=True).returncode == 0


def cuda_place() -> Place:
    """CuPy's place here. RuntimeError, which says why, where there is none."""
    if not emulated() and ("cupy" in sys.modules or card_answers()):
        try:
            return place("cuda")
        except RuntimeError:  # CuPy has been imported and there is no card
            pass
    return place("emulated")


@contextmanager
def as_strict_as_can_be() -> Iterator[None]:
    """On the emulated device mistakes of kernels are errors in this block; on a card they are not.

    The memory that CuPy keeps for later is given back first: strict mode looks at all that is taken
    at every launch.
    """
    if emulated():
        importlib.import_module("cupy").get_default_memory_pool().free_all_blocks()
        with emulator.strict():
            yield
    else:
        yield
