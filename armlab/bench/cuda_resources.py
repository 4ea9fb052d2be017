"""What the CUDA kernels of `armlab.hand.kernels.cuda` need of a card, from its real compiler.

NVRTC (the wheel nvidia-cuda-nvrtc-cu12) compiles without a driver and says how many registers a
thread has, how much shared memory a block has, and what did not fit into registers.
"""

from __future__ import annotations

import ctypes
import importlib.util
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from armlab.hand.kernels import cuda
from armlab.terminal import at_terminal

ARCHITECTURES = (75, 80, 90, 100)  # Turing, Ampere, Hopper, Blackwell
KERNEL = re.compile(r"Compiling entry function '(\w+)'")
STACK = re.compile(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads")
USED = re.compile(r"Used (\d+) registers(?:.*?(\d+) bytes smem)?")


@dataclass(frozen=True)
class Resources:
    """What one kernel needs on one architecture.

    registers  of a thread, of at most 255
    shared     bytes of a block's `__shared__` variables
    stack      bytes of a thread in local memory, which is slow
    spilled    bytes stored there and loaded, as they did not fit into registers
    """

    page: str
    kernel: str
    dtype: str
    architecture: int
    registers: int
    shared: int
    stack: int
    spilled: int


def pages() -> list[str]:
    """The names of all pages."""
    return sorted(path.stem for path in cuda.HERE.glob("*.cu"))


def resources(architectures: Sequence[int] = ARCHITECTURES) -> list[Resources]:
    """Of all kernels, in float32 and float64. RuntimeError where one does not compile."""
    nvrtc = _library()
    return [
        found
        for page in pages()
        for dtype in cuda.REAL
        for architecture in architectures
        for found in _read(page, dtype, architecture, _log(nvrtc, page, dtype, architecture))
    ]


def as_markdown(rows: Sequence[Resources]) -> str:
    """A line for each kernel: float32 / float64, the most that any architecture needs."""
    lines = [
        "| page | kernel | registers | shared bytes | spilled bytes |",
        "|---|---|--:|--:|--:|",
    ]
    for page, kernel in dict.fromkeys((row.page, row.kernel) for row in rows):
        of = [row for row in rows if (row.page, row.kernel) == (page, kernel)]
        cells = (
            " / ".join(str(max(getattr(r, name) for r in of if r.dtype == d)) for d in cuda.REAL)
            for name in ("registers", "shared", "spilled")
        )
        lines.append(f"| [{page}.cu]({page}.cu) | {kernel} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _library() -> Any:
    found = importlib.util.find_spec("nvidia.cuda_nvrtc")
    if found is None or not found.submodule_search_locations:
        raise RuntimeError(
            "the compiler of CUDA kernels is not here: "
            "install it with  pip install nvidia-cuda-nvrtc-cu12"
        )
    (path,) = Path(next(iter(found.submodule_search_locations))).glob("lib/libnvrtc.so.*[0-9]")
    return ctypes.CDLL(str(path))


def _log(nvrtc: Any, page: str, dtype: str, architecture: int) -> str:
    """What the compiler says of a page."""
    source = cuda.source(page).encode()
    options = [*cuda.options(dtype), "-ftz=true", f"-arch=sm_{architecture}", "-Xptxas=-v"]
    program, size = ctypes.c_void_p(), ctypes.c_size_t()
    nvrtc.nvrtcCreateProgram(ctypes.byref(program), source, page.encode(), 0, None, None)
    given = (ctypes.c_char_p * len(options))(*(option.encode() for option in options))
    failed = nvrtc.nvrtcCompileProgram(program, len(options), given)
    nvrtc.nvrtcGetProgramLogSize(program, ctypes.byref(size))
    text = ctypes.create_string_buffer(size.value)
    nvrtc.nvrtcGetProgramLog(program, text)
    nvrtc.nvrtcDestroyProgram(ctypes.byref(program))
    log = text.value.decode()
    if failed:
        raise RuntimeError(f"{page}.cu does not compile for sm_{architecture}, {dtype}: {log}")
    return log


def _read(page: str, dtype: str, architecture: int, log: str) -> Iterator[Resources]:
    """One for each kernel of a log."""
    for part in log.split("ptxas info    : Compiling entry")[1:]:
        name, stack, used = (p.search("Compiling entry" + part) for p in (KERNEL, STACK, USED))
        assert name
        assert stack
        assert used
        frame, stores, loads = map(int, stack.groups())
        numbers = int(used[1]), int(used[2] or 0), frame, stores + loads
        yield Resources(page, name[1], dtype, architecture, *numbers)


if __name__ == "__main__":
    with at_terminal():
        print(as_markdown(resources()))
