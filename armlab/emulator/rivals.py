"""CUDA's own libraries in the same process: PyTorch brings some, by the names that CuPy looks up.

A PyTorch that was built for the CUDA of this CuPy needs more of these libraries than the device
has. So it is imported first and gets its own, and what CuPy will find there by name is made to jump
to the device. PyTorch computes on the CPU then: to it there is no card.
"""

from __future__ import annotations

import ctypes
import importlib
import importlib.util
import itertools
import os
import re
from pathlib import Path
from typing import Any

from armlab.emulator import build

FUNCTION = re.compile(r"cu[A-Z]|cublas|nvrtc")
CUDA = re.compile(r"^cuda\b.*= *'(\d+)", re.MULTILINE)  # in torch/version.py: cuda = '13.0'


def import_pytorch_of(cuda: str) -> None:
    """Where it was built for this CUDA, such as "13"; others load libraries of other names."""
    found = importlib.util.find_spec("torch")
    version = Path(found.origin).with_name("version.py") if found and found.origin else None
    if version is None or not version.exists():
        return
    built = CUDA.search(version.read_text(encoding="utf-8"))
    if built and built[1] == cuda:
        importlib.import_module("torch")


def loaded(name: str) -> Any:
    """The library that goes by this name in the process already; None where none does."""
    try:
        return ctypes.CDLL(name, mode=os.RTLD_NOLOAD | os.RTLD_LAZY)
    except OSError:
        return None


def redirect(device: Any, libraries: list[Path], others: list[Any]) -> None:
    """Send what these have of CUDA's functions, the runtime's left out, to the device and cuBLAS.

    CuPy has a runtime of its own within it; that of PyTorch has to find no card.
    """
    for path in (libraries[0], libraries[-1]):
        ours = ctypes.CDLL(str(path))
        names = [name for name in build.defined(path, "") if FUNCTION.match(name)]
        for other, name in itertools.product(filter(None, others), names):
            if hasattr(other, name):
                at, to = (ctypes.cast(library[name], ctypes.c_void_p) for library in (other, ours))
                if device.emulated_redirect(at, to, None):
                    raise RuntimeError(f"{name} of CUDA cannot be sent to the emulated device")
