"""A CUDA device in software: CuPy, as its wheel comes, on a machine without a GPU.

    from armlab import emulator
    emulator.install()           # before cupy is imported
    import cupy

    with emulator.counting() as counts: ...      # what ran: kernels, products, copies, waits
    with emulator.strict(): ...                  # what compute-sanitizer would find, is an error
    with emulator.idle(): ...                    # nothing is done: what takes time is the host

Its kernels are compiled by g++ and run on the CPU. README.md says how, and what this cannot show.
"""

from __future__ import annotations

import ctypes
import os
import platform
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

TESTED = ("cupy-cuda12x", "cupy-cuda13x"), (14,)  # packages, major versions
NOT_STRICT = (False, ctypes.c_uint64(0), ctypes.c_double(0))
_kept = SimpleNamespace(device=None, strict=NOT_STRICT, idle=False)  # the device; what it was told


@dataclass(frozen=True)
class Count:
    """How often something of one name ran.

    kind     "kernel", "product" (of cuBLAS), "copy", "fill", or "wait" of the host for the device
    size     in all: threads of kernels, multiply-adds of products, bytes of copies and fills
    seconds  in all, on this CPU
    """

    kind: str
    calls: int
    size: int
    seconds: float


@dataclass(frozen=True)
class Touched:
    """How often kernels read numbers of the device's memory, and wrote them.

    reads, writes    each time counts
    read, written    each number counts once
    """

    reads: int
    read: int
    writes: int
    written: int


def why_not() -> str:
    """Why there can be no emulated device here, in one sentence; empty where there can."""
    from armlab.emulator import build
    from armlab.installed import packages_with

    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        here = f"{platform.system()} on {platform.machine()}"
        return f"the emulated device needs Linux on x86_64, this is {here}"
    (package, *_), (major, *_) = packages, majors = TESTED
    found = packages_with("cupy")
    if not found:
        return f"the emulated device needs CuPy: install it with  pip install {package}"
    for name, version in found.items():
        if name not in packages or int(version.split(".")[0]) not in majors:
            return (
                f"the emulated device is tested with {' and '.join(packages)} of version {major}, "
                f"this is {name} {version}: install one of them in its place"
            )
    if build.compiler() is None:
        given = os.environ.get("CXX")
        wanted = f"{given}, which CXX names and" if given else "g++, which"
        return f"the emulated device compiles kernels with {wanted} is not here: install g++"
    return ""


def installed() -> bool:
    """Whether the emulated device is the CUDA device of this process."""
    return _kept.device is not None


def install() -> None:
    """Make the emulated device the CUDA device of this process; a second time does nothing.

    RuntimeError where that cannot be: `why_not` says so beforehand; CuPy is imported already; or
    the compiler fails.
    """
    if installed():
        return
    if "cupy" in sys.modules:
        raise RuntimeError(
            "CuPy is imported already and has looked for its device: "
            "ask for the emulated one first, in a new process"
        )
    if reason := why_not():
        raise RuntimeError(reason)
    from armlab.emulator import start

    _kept.device = start.start()


def install_on_import() -> None:
    """As `install`, once cupy is first imported."""
    if not installed() and not any(isinstance(f, _OnImport) for f in sys.meta_path):
        sys.meta_path.insert(0, _OnImport())


class _OnImport:
    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name == "cupy":
            sys.meta_path.remove(self)
            install()


@contextmanager
def counting() -> Iterator[dict[str, Count]]:
    """What runs within the block, by name; the dict is filled when the block ends."""
    device = _installed_device()
    before = _counts(device)
    within: dict[str, Count] = {}
    try:
        yield within
    finally:
        none = Count("", 0, 0, 0)
        for name, all_ in _counts(device).items():
            was = before.get(name, none)
            if calls := all_.calls - was.calls:
                size, seconds = all_.size - was.size, all_.seconds - was.seconds
                within[name] = Count(all_.kind, calls, size, seconds)


@contextmanager
def strict(seed: int = 0, seconds: float = 60) -> Iterator[None]:
    """Within the block, mistakes in kernels are errors that say where.

    Arrays that are made in it lie between guard pages and begin as NaN; each launch runs three
    times, its threads forward, backward and in an order drawn from the seed, and must give the
    same bits, in so many seconds each; the host cannot touch device memory. It is slow: for the
    tests of kernels. Within a strict block a second one has its own seed and seconds.
    """
    device = _installed_device()
    import cupy

    for pool in (cupy.get_default_memory_pool(), cupy.get_default_pinned_memory_pool()):
        pool.free_all_blocks()  # each launch saves all that is allocated
    with cupy.cuda.using_allocator(None):  # no pool: each array is an allocation
        outer, _kept.strict = _kept.strict, (True, ctypes.c_uint64(seed), ctypes.c_double(seconds))
        device.emulated_strict(*_kept.strict)
        try:
            yield
        finally:
            _kept.strict = outer
            device.emulated_strict(*outer)


def touched() -> Touched:
    """What kernels have read and written since this was asked before.

    Only numbers of type `emulated::Counted<float>` or `<double>` count, see include/counted.h.
    """
    found = (ctypes.c_uint64 * 4)()
    _installed_device().emulated_touched(found)
    return Touched(*found)


@contextmanager
def idle() -> Iterator[None]:
    """Within the block, work of the device is checked and counted as ever, and nothing is done.

    No kernel runs, no product is computed, nothing is copied or filled: all memory stays as it is,
    and what is read back from the device is what the host's memory held. The time that is left is
    the host's. In a strict block as well: what only running could show is not seen then.
    """
    device = _installed_device()
    outer, _kept.idle = _kept.idle, True
    device.emulated_idle(_kept.idle)
    try:
        yield
    finally:
        _kept.idle = outer
        device.emulated_idle(outer)


@contextmanager
def only_blocks(blocks: Sequence[int]) -> Iterator[None]:
    """Within the block, a launch runs these of its blocks alone, once, in this order.

    So a kernel can be tried at the far end of an array that nobody has the time to fill.
    """
    device = _installed_device()
    device.emulated_choose_blocks((ctypes.c_uint64 * len(blocks))(*blocks), len(blocks))
    try:
        yield
    finally:
        device.emulated_choose_blocks(None, 0)


def _installed_device() -> Any:
    if not installed():
        raise RuntimeError("the device of this process is not the emulated one: install it first")
    return _kept.device


def _counts(device: Any) -> dict[str, Count]:
    """What has run since the device was installed."""
    counts = {}
    for line in _report(device).splitlines():
        kind, calls, size, nanoseconds, name = line.split(" ", 4)
        counts[name] = Count(kind, int(calls), int(size), int(nanoseconds) / 1e9)
    return counts


def _report(device: Any) -> str:
    device.emulated_counts.restype = ctypes.c_size_t
    room = 1 << 16
    while True:
        text = ctypes.create_string_buffer(room)
        needed = device.emulated_counts(text, ctypes.c_size_t(room))
        if needed <= room:
            return text.value.decode()
        room = needed
