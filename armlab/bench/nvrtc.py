"""NVRTC, the compiler of CUDA kernels that a card has: pages, and what it says of them.

It is the wheel nvidia-cuda-nvrtc-cu12 and needs no driver. It runs in a process of its own: where
it is loaded, CuPy finds it in place of the compiler of the emulated device.
"""

from __future__ import annotations

import ctypes
import importlib.util
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from armlab.hand.kernels import cuda

Page = tuple[str, str, int]  # its name, a dtype, and a compute capability such as 90


@dataclass(frozen=True)
class Compiled:
    """What came of a page.

    log  what ptxas says of each kernel: registers, shared memory, spills
    ptx  the page in PTX, the language before a card's own
    """

    log: str
    ptx: str


def compiled(pages: Sequence[Page]) -> list[Compiled]:
    """What comes of each. RuntimeError where one does not compile, or no compiler is here."""
    asked = {"library": str(_library()), "pages": [_asked(*page) for page in pages]}
    command = [sys.executable, "-m", "armlab.bench.nvrtc"]
    done = subprocess.run(
        command, input=json.dumps(asked), capture_output=True, encoding="utf-8", check=True
    )
    found = []
    for (page, dtype, architecture), made in zip(pages, json.loads(done.stdout), strict=True):
        if made.pop("failed"):
            what = f"{page}.cu does not compile for sm_{architecture}, {dtype}"
            raise RuntimeError(f"{what}: {made['log']}")
        found.append(Compiled(**made))
    return found


def _asked(page: str, dtype: str, architecture: int) -> dict[str, Any]:
    options = [*cuda.options(dtype), "-ftz=true", f"-arch=sm_{architecture}", "-Xptxas=-v"]
    return {"source": cuda.source(page), "options": options}


def _library() -> Path:
    found = importlib.util.find_spec("nvidia.cuda_nvrtc")
    if found is None or not found.submodule_search_locations:
        raise RuntimeError(
            "the compiler of CUDA kernels is not here: "
            "install it with  pip install nvidia-cuda-nvrtc-cu12"
        )
    (path,) = Path(next(iter(found.submodule_search_locations))).glob("lib/libnvrtc.so.*[0-9]")
    return path


def _compile(nvrtc: Any, source: str, options: Sequence[str]) -> dict[str, Any]:
    """In the other process: what `Compiled` holds, and whether it failed."""
    program = ctypes.c_void_p()
    nvrtc.nvrtcCreateProgram(ctypes.byref(program), source.encode(), None, 0, None, None)
    try:
        given = (ctypes.c_char_p * len(options))(*(option.encode() for option in options))
        failed = nvrtc.nvrtcCompileProgram(program, len(options), given)
        log = _text(nvrtc.nvrtcGetProgramLogSize, nvrtc.nvrtcGetProgramLog, program)
        ptx = "" if failed else _text(nvrtc.nvrtcGetPTXSize, nvrtc.nvrtcGetPTX, program)
        return {"failed": bool(failed), "log": log, "ptx": ptx}
    finally:
        nvrtc.nvrtcDestroyProgram(ctypes.byref(program))


def _text(size_of: Any, read: Any, program: ctypes.c_void_p) -> str:
    size = ctypes.c_size_t()
    size_of(program, ctypes.byref(size))
    text = ctypes.create_string_buffer(size.value)
    read(program, text)
    return text.value.decode()


def main() -> None:
    """Compile what standard input asks for."""
    asked = json.load(sys.stdin)
    nvrtc = ctypes.CDLL(asked["library"])
    json.dump([_compile(nvrtc, **page) for page in asked["pages"]], sys.stdout)


if __name__ == "__main__":
    main()
