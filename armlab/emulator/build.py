"""The device's libraries: compiled once by g++ and kept in the user's cache."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
SOURCES, INCLUDE = HERE / "device", HERE / "include"
FLAGS = ("-std=c++17", "-O3", "-fPIC", "-fvisibility=hidden", "-Wall", f"-I{INCLUDE}")
DEVICE = "libcuda.so.1"
OTHER_NAMES = ("libnvrtc", "libcudart", "libcublasLt")  # of what is in DEVICE
MANIFEST = "manifest.json"
ANOTHER = "install the compiler anew, or name another one in CXX"


class BuildFailed(RuntimeError):
    """The compiler refused the device's sources."""


def folder() -> Path:
    """Where the device and the kernels that it ran are kept: `ARMLAB_EMULATOR_CACHE`, if set."""
    given = os.environ.get("ARMLAB_EMULATOR_CACHE")
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(given) if given else home / "armlab" / "emulator"


def compiler() -> str | None:
    """The path of g++, or of what `CXX` names; None where there is none."""
    return shutil.which(os.environ.get("CXX") or "g++")


@cache
def compiler_version(path: str) -> str:
    """Such as 12.2.0. BuildFailed where it does not say."""
    done = subprocess.run(
        [path, "-dumpfullversion"], capture_output=True, encoding="utf-8", errors="replace"
    )
    if done.returncode or not done.stdout.strip():
        said = (done.stderr or done.stdout).strip() or f"exit status {done.returncode}"
        raise BuildFailed(f"{path} does not say which g++ it is: {said}: {ANOTHER}")
    return done.stdout.strip()


def processor_flags() -> list[str]:
    """What the kernels may use of this processor: a fused multiply-add, as a card has it."""
    text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    known = set(text.partition("flags")[2].partition("\n")[0].split())
    return [f"-m{flag}" for flag in ("avx2", "fma") if flag in known]


def device_libraries(cublas_module: Path) -> list[Path]:
    """The device's libraries as they are loaded, the device itself first.

    They are compiled where these were not yet, or are broken.
    """
    program = compiler()
    assert program, "why_not() asks for the compiler first"
    needed = undefined(cublas_module, "cublas")
    wanted, cuda = sorted(needed), cuda_of(needed)
    at = folder() / f"device-{_key(program, cuda, wanted)}"
    names = library_names(cuda)
    if not whole(at, names):
        with locked(folder()):
            if not whole(at, names):  # nobody was faster
                _build(at, program, cuda, wanted)
    return [at / name for name in names]


def cuda_of(needed: Mapping[str, str]) -> int:
    """The CUDA that CuPy was built for: 13 where it needs functions of libcublas.so.13."""
    (library,) = set(needed.values())
    return int(library.removeprefix("libcublas.so."))


def library_names(cuda: int) -> list[str]:
    """What CuPy looks for: the device, its other names, and cuBLAS."""
    return [DEVICE, *(f"{name}.so.{cuda}" for name in OTHER_NAMES), products(cuda)]


def products(cuda: int) -> str:
    """The name of cuBLAS, which is a library of its own."""
    return f"libcublas.so.{cuda}"


@contextmanager
def locked(where: Path) -> Iterator[None]:
    """One process at a time; the lock goes with the process that holds it."""
    import fcntl  # of Unix alone, and why_not() is asked everywhere

    where.mkdir(parents=True, exist_ok=True)
    with open(where / "lock", "wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _key(program: str, cuda: int, wanted: list[str]) -> str:
    parts = [program, compiler_version(program), platform.machine(), *FLAGS, *processor_flags()]
    parts += [str(cuda), *wanted]
    key = hashlib.sha256("\n".join(parts).encode())
    for path in sorted(SOURCES.iterdir()) + [INCLUDE / "launch.h", Path(__file__)]:
        key.update(path.read_bytes())
    return key.hexdigest()[:16]


def whole(at: Path, names: Iterable[str]) -> bool:
    """Whether each of these files of a folder is as it was when `put` put it there."""
    try:
        sums: dict[str, str] = json.loads((at / MANIFEST).read_text(encoding="utf-8"))
        return all(_sum(at / name) == sums[name] for name in names)
    except (OSError, ValueError, LookupError, TypeError):
        return False


def put(made: Path, at: Path) -> None:
    """Rename a folder to its place, with what `whole` has to know; what is there goes."""
    sums = {path.name: _sum(path) for path in made.iterdir()}
    (made / MANIFEST).write_text(json.dumps(sums), encoding="utf-8")
    shutil.rmtree(at, ignore_errors=True)
    made.rename(at)


def _sum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _build(at: Path, program: str, cuda: int, wanted: list[str]) -> None:
    """Compile into a folder beside it and rename that: there is a whole device there, or none."""
    with tempfile.TemporaryDirectory(dir=at.parent) as name:
        made = Path(name) / "libraries"
        made.mkdir()
        parts = [p for p in sorted(SOURCES.glob("*.cpp")) if p.stem != "cublas"]
        _compile(program, made, DEVICE, f"-DEMULATED_CUDA={cuda}", *parts, "-ldl", "-lrt")
        (made / "empty.cpp").write_bytes(b"")
        for other in library_names(cuda)[1:-1]:
            _compile(program, made, other, "empty.cpp", "-Wl,--no-as-needed", DEVICE)
        _compile_products(program, made, products(cuda), wanted)
        for rest in ("empty.cpp", "missing.cpp", "cublas.o", "version"):
            (made / rest).unlink()
        put(made, at)


def _compile_products(program: str, made: Path, library: str, wanted: list[str]) -> None:
    """cuBLAS: what cublas.cpp has, and for all else that CuPy links to a stub that names itself."""
    _run(program, made, "-c", SOURCES / "cublas.cpp", "-o", "cublas.o")
    there = {name for name in _names(made / "cublas.o") if name.startswith("cublas")}
    stub = 'int {0}() {{ emulated_missing("{0}"); return 15; }}\n'  # NOT_SUPPORTED
    stubs = "".join(stub.format(name) for name in wanted if name not in there)
    head = (
        '#pragma GCC visibility push(default)\nextern "C" {\nint emulated_missing(const char*);\n'
    )
    (made / "missing.cpp").write_text(head + stubs + "}\n", encoding="utf-8")
    (made / "version").write_text(
        f"{library} {{ global: *; }};\n", encoding="utf-8"
    )  # as CuPy asks for it
    script = "-Wl,--version-script=version"
    _compile(program, made, library, "missing.cpp", "cublas.o", script, DEVICE)


def _compile(program: str, made: Path, name: str, *arguments: Path | str) -> None:
    found = f"-Wl,-soname,{name}", "-Wl,-rpath,$ORIGIN"
    _run(program, made, "-shared", *found, *arguments, "-o", name)


def _run(program: str, made: Path, *arguments: Path | str) -> None:
    command = [program, *FLAGS, *processor_flags(), *map(str, arguments)]
    done = subprocess.run(
        command, cwd=made, capture_output=True, encoding="utf-8", errors="replace"
    )
    if done.returncode:
        said = next((line for line in done.stderr.splitlines() if "error" in line), done.stderr)
        raise BuildFailed(
            f"{program} cannot compile the emulated device: {said.strip()}: {ANOTHER}"
        )


def defined(library: Path, prefix: str) -> dict[str, int]:
    """The functions of a library whose names begin so, and their addresses in it, from nm."""
    lines = (line.split() for line in _nm("--defined-only", library))
    return {
        name: int(address, 16)
        for address, kind, name in (line for line in lines if len(line) == 3)
        if kind in "tT" and name.startswith(prefix)
    }


def undefined(library: Path, prefix: str) -> dict[str, str]:
    """The functions that a library needs, of names that begin so, and the library of each."""
    needed = (line.split()[-1].partition("@") for line in _nm("-D", "--undefined-only", library))
    return {name: other for name, _, other in needed if name.startswith(prefix)}


def _names(library: Path) -> list[str]:
    return [line.split()[-1] for line in _nm("--defined-only", library)]


def _nm(*arguments: Path | str) -> list[str]:
    done = subprocess.run(
        ["nm", *map(str, arguments)],
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=True,
    )
    return done.stdout.splitlines()
