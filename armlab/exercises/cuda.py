"""The CUDA device that a lesson runs on: a card where CuPy finds one, else the emulated one."""

from __future__ import annotations

import subprocess
import sys
from contextlib import AbstractContextManager, nullcontext
from functools import cache

from armlab import emulator
from armlab.places import Place, emulated, place

ASK = (  # without a driver, no need to import CuPy
    "import ctypes; ctypes.CDLL('libcuda.so.1')\n"
    "import cupy; raise SystemExit(cupy.cuda.runtime.getDeviceCount() == 0)"
)


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


def as_strict_as_can_be() -> AbstractContextManager[None]:
    """On the emulated device mistakes of kernels are errors in this block, on a card not."""
    return emulator.strict() if emulated() else nullcontext()
