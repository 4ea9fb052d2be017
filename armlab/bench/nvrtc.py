"""NVRTC, the compiler of CUDA kernels that a card has: a page, and what it says of it.

It is the wheel nvidia-cuda-nvrtc-cu12 and needs no driver.
"""

from __future__ import annotations

import ctypes
import importlib.util
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from armlab.hand.kernels import cuda


@dataclass(frozen=True)
class Compiled:
    """What came of a page.

    log  what ptxas says of each kernel: registers, shared memory, spills
    ptx  the page in PTX, the language before a card's own
    """

    log: str
    ptx: str


def compiled(page: str, dtype: str, architecture: int) -> Compiled:
    """A page for one dtype and compute capability. RuntimeError where it does not compile."""
    nvrtc, program = _library(), ctypes.c_void_p()
    source = cuda.source(page).encode()
    options = [*cuda.options(dtype), "-ftz=true", f"-arch=sm_{architecture}", "-Xptxas=-v"]
    nvrtc.nvrtcCreateProgram(ctypes.byref(program), source, page.encode(), 0, None, None)
    try:
        given = (ctypes.c_char_p * len(options))(*(option.encode() for option in options))
        failed = nvrtc.nvrtcCompileProgram(program, len(options), given)
        log = _text(nvrtc.nvrtcGetProgramLogSize, nvrtc.nvrtcGetProgramLog, program)
        if failed:
            raise RuntimeError(f"{page}.cu does not compile for sm_{architecture}, {dtype}: {log}")
        return Compiled(log, _text(nvrtc.nvrtcGetPTXSize, nvrtc.nvrtcGetPTX, program))
    finally:
        nvrtc.nvrtcDestroyProgram(ctypes.byref(program))


def _text(size_of: Any, read: Any, program: ctypes.c_void_p) -> str:
    size = ctypes.c_size_t()
    size_of(program, ctypes.byref(size))
    text = ctypes.create_string_buffer(size.value)
    read(program, text)
    return text.value.decode()


@cache
def _library() -> Any:
    found = importlib.util.find_spec("nvidia.cuda_nvrtc")
    if found is None or not found.submodule_search_locations:
        raise RuntimeError(
            "the compiler of CUDA kernels is not here: "
            "install it with  pip install nvidia-cuda-nvrtc-cu12"
        )
    (path,) = Path(next(iter(found.submodule_search_locations))).glob("lib/libnvrtc.so.*[0-9]")
    return ctypes.CDLL(str(path))
