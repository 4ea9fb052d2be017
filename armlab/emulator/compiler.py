"""NVRTC's part of the device: CUDA C++ in, a library for this processor out.

g++ reads `include/cuda_on_cpu.h` before the source. Behind it stand a few lines that export each
kernel with what the device has to know of it: see `include/launch.h`.
"""

from __future__ import annotations

import hashlib
import re
import struct
import subprocess
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from armlab.emulator import build

MARK = b"EMULATED"
HEADER = ("kernels.h", "kernels.h.gch")
CUPY_HEADERS = ("complex.cuh", "carray.cuh", "atomics.cuh", "math_constants.h")

KERNEL = re.compile(r"__global__\s+(?:\w+\s+)*?(?:__launch_bounds__\s*\([^)]*\)\s*)?(?:void\s+)?"
                    r"(?:__launch_bounds__\s*\([^)]*\)\s*)?(\w+)\s*\(")  # fmt: skip
DYNAMIC = re.compile(r"extern\s+__shared__\s+([^;]*?)\s*(\w+)\s*\[\s*\]\s*;")
WAITS = re.compile(r"__sync|__shfl|_sync\s*\(")
POSITION = re.compile(r"\b(threadIdx|blockIdx|blockDim|gridDim)\b")
COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
# Of kernels that CuPy did not write: an index outside of an array whose length is known.
CHECKED = ("-fsanitize=bounds", "-fno-sanitize-recover=bounds")


def flags() -> list[str]:
    """As CuPy asks of a card: products and sums are fused."""
    return [
        *("-std=c++17", "-O2", "-fPIC", "-ffp-contract=fast", "-fno-math-errno", "-w"),
        *("-fvisibility=hidden", "-fno-gnu-unique", "-fno-exceptions", "-U_FORTIFY_SOURCE"),
        *build.processor_flags(),
        f"-I{build.INCLUDE}",
    ]


@cache
def version() -> str:
    """What CuPy puts into the key of each kernel that it keeps."""
    program = _program()
    key = hashlib.sha256(" ".join([build.compiler_version(program), *flags(), *CHECKED]).encode())
    for path in [*sorted(build.INCLUDE.rglob("*.h")), Path(__file__)]:
        key.update(path.read_bytes())
    return key.hexdigest()[:16]


def compile_kernels(source: str, options: list[str], names: list[str]) -> tuple[bytes, str]:
    """The kernels of a source, as a "cubin" that the device loads, and what the compiler said.

    options  as NVRTC gets them; what is not a definition is known or of no meaning here
    names    of kernels as C++ knows them, such as instances of templates
    """
    if not source.strip():  # CuPy asks so for the version of the compiler
        return f"// emulated device {version()}\n".encode(), ""
    given = [option for option in options if option.startswith("-D")]
    cupy = next((option for option in options if option.endswith("_core/include")), "")
    whole = "<cupy/carray.cuh>" in source
    header = precompiled_header(cupy if whole else "")
    with tempfile.TemporaryDirectory() as name:
        code, library = Path(name) / "kernels.cpp", Path(name) / "kernels.so"
        code.write_text(translated(source, options, names), encoding="utf-8")
        command = [_program(), *flags(), "-include", str(header), *filter(None, [cupy]), *given]
        command += [] if whole else CHECKED
        # What a kernel calls is in this process already: it is linked to nothing.
        command += [str(code), "-shared", "-nostdlib", "-o", str(library)]
        done = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace")
        if done.returncode:
            return b"", done.stderr
        made = library.read_bytes()
    return MARK + struct.pack("<Q", len(made)) + made, done.stderr


def translated(source: str, options: list[str], names: list[str]) -> str:
    """The source for g++, with an export for each kernel."""
    plain = COMMENT.sub("", source)
    flushes = "-ftz=true" in options and not re.search(r"\bdouble\b", plain)
    lines = ["", '#line 1 "the emulated device\'s exports"']
    kernels = dict.fromkeys(KERNEL.findall(plain))
    exports = {name: name for name in kernels if _has_c_linkage(plain, name)}
    exports |= {f"name_{i}": name for i, name in enumerate(names)}
    for symbol, name in exports.items():
        own = re.match(r"[\w:]*", name)
        assert own
        declared = "\\n".join(declared_parameters(plain, own[0].rpartition(":")[2]))
        arguments = (symbol, _threads(plain), str(flushes).lower(), f'"{declared}"', name)
        lines.append(f"EMULATED_KERNEL({', '.join(arguments)})")
    dynamic = r"\1* \2 = reinterpret_cast<\1*>(emulated_dynamic_shared);"
    return DYNAMIC.sub(dynamic, source) + "\n".join(lines) + "\n"


def _has_c_linkage(source: str, name: str) -> bool:
    """Whether C++ declares the kernel by its plain name: alone, or in a block of such functions."""
    if re.search(rf'extern\s+"C"[^;{{}}]*\b{name}\s*\(', source):
        return True
    declared = re.compile(rf"__global__[^;{{}}]*\b{name}\s*\(")
    return any(declared.search(block) for block in _c_blocks(source))


def _c_blocks(source: str) -> Iterator[str]:
    """What stands in the braces behind each `extern "C"`."""
    for start in re.finditer(r'extern\s+"C"\s*\{', source):
        depth, at = 1, start.end()
        while at < len(source) and depth:
            depth += (source[at] == "{") - (source[at] == "}")
            at += 1
        yield source[start.end() : at]


def _threads(source: str) -> str:
    """How the threads of its kernels run: a word of `enum Threads`."""
    if WAITS.search(source):
        return "TOGETHER"
    return "STRIDE" if "CUPY_FOR" in source and not POSITION.search(source) else "ALONE"


def declared_parameters(source: str, name: str) -> list[str]:
    """What stands between the parentheses of a kernel, parameter by parameter."""
    start = re.search(rf"__global__[^;{{]*?\b{name}\s*\(", source)
    if start is None:
        return []
    found, depth, at = [""], 1, start.end()
    while at < len(source) and depth:
        letter = source[at]
        depth += (letter in "(<[{") - (letter in ")>]}")
        if letter == "," and depth == 1:
            found.append("")
        elif depth:
            found[-1] += letter
        at += 1
    words = [" ".join(text.split()).replace('"', "") for text in found]
    return [text for text in words if text]


@cache
def precompiled_header(cupy: str) -> Path:
    """The header of every kernel, which g++ has read once for all; with CuPy's, where they are."""
    key = hashlib.sha256((version() + cupy).encode())
    lines = ["#include <cuda_on_cpu.h>"]
    if cupy:
        lines += [f"#include <cupy/{name}>" for name in CUPY_HEADERS]
        for path in sorted(Path(cupy[2:], "cupy").glob("*.*h")):
            key.update(path.read_bytes())
    at = build.folder() / f"header-{key.hexdigest()[:16]}"
    if build.whole(at, HEADER):
        return at / HEADER[0]
    with build.locked(build.folder()):
        if not build.whole(at, HEADER):  # nobody was faster
            _precompile(at, "\n".join(lines) + "\n", cupy)
    return at / HEADER[0]


def _precompile(at: Path, text: str, cupy: str) -> None:
    with tempfile.TemporaryDirectory(dir=at.parent) as name:
        made = Path(name) / "header"
        made.mkdir()
        (made / HEADER[0]).write_text(text, encoding="utf-8")
        command = [_program(), *flags(), *([cupy] if cupy else CHECKED), "-x", "c++-header"]
        done = subprocess.run(
            [*command, str(made / HEADER[0])],
            capture_output=True,
            encoding="utf-8",
            errors="replace",
        )
        if done.returncode:
            raise build.BuildFailed(f"{_program()} cannot read CuPy's headers: {done.stderr}")
        build.put(made, at)


def _program() -> str:
    program = build.compiler()
    if program is None:
        raise build.BuildFailed("a kernel has to be compiled and there is no g++: install it")
    return program
