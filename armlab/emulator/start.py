"""How the device becomes that of this process: its libraries stand where CuPy looks for CUDA's."""

from __future__ import annotations

import ctypes
import importlib.util
import os
from functools import cache
from pathlib import Path
from typing import Any

from armlab.emulator import build, compiler, rivals

WITH_RUNTIME = (  # modules of CuPy that CUDA's runtime is linked into
    "cupy_backends/cuda/api/runtime.*.so",
    "cupy/cuda/cub.*.so",
    "cupy/cuda/thrust.*.so",
    "cupy/random/_generator_api.*.so",
)
_kept: list[Any] = []  # what C++ holds pointers to


def start() -> Any:
    """Load the device before CuPy is imported, and return its library."""
    packages = _site_packages()
    libraries = build.device_libraries(next(packages.glob("cupy_backends/cuda/libs/cublas.*.so")))
    rivals.import_pytorch_of(libraries[-1].name.rpartition(".")[2])
    others = [rivals.loaded(path.name) for path in libraries]
    os.environ["CUPY_CACHE_DIR"] = str(build.folder() / "kernels")  # apart from those of a card
    os.environ["CUPY_ACCELERATORS"] = ""  # kernels of CUB and cuTENSOR are compiled for a card
    os.environ["CUDA_PATH"] = str(build.HERE)  # CuPy looks there for cuda_runtime.h
    device, *_ = [ctypes.CDLL(str(path), ctypes.RTLD_GLOBAL) for path in libraries]
    rivals.redirect(device, libraries, others)
    _connect_compiler(device)
    for pattern in WITH_RUNTIME:
        for module in packages.glob(pattern):
            _redirect(device, module)
    device.emulated_handle_signals()
    return device


def _site_packages() -> Path:
    found = importlib.util.find_spec("cupy_backends")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parents[1]


def _connect_compiler(device: Any) -> None:
    """Hand the compiler to NVRTC's calls."""

    def compile_program(program: int, source: bytes, options: bytes, names: bytes) -> None:
        try:
            made, log = compiler.compile_kernels(
                source.decode(), options.decode().splitlines(), names.decode().splitlines()
            )
        except Exception as error:  # nothing may leave a function that C++ called
            made, log = b"", f"{type(error).__name__}: {error}"
        size = ctypes.c_size_t(len(made))
        device.emulated_compiled(ctypes.c_void_p(program), made, size, log.encode())

    signature = ctypes.CFUNCTYPE(None, ctypes.c_void_p, *[ctypes.c_char_p] * 3)
    _kept.append(signature(compile_program))
    device.emulated_set_compiler(_kept[-1])


def _redirect(device: Any, module: Path) -> None:
    """Send the CUDA runtime inside a module of CuPy to the device.

    The module is loaded here; when Python imports it, it finds it as it is.
    """
    start = f"PyInit_{module.name.partition('.')[0]}"
    loaded = ctypes.cast(ctypes.CDLL(str(module))[start], ctypes.c_void_p).value
    offset = (loaded or 0) - build.defined(module, start)[start]
    for name, address in build.defined(module, "cuda").items():
        target, first = _target(device, name)
        if device.emulated_redirect(ctypes.c_void_p(offset + address), target, first):
            raise RuntimeError(f"{name} of {module} cannot be redirected to the emulated device")


@cache
def _target(device: Any, name: str) -> tuple[ctypes.c_void_p, bytes | None]:
    """Our function of this name, or the one that says that there is none."""
    if hasattr(device, name):
        return ctypes.cast(device[name], ctypes.c_void_p), None
    _kept.append(name.encode())
    return ctypes.cast(device.emulated_missing, ctypes.c_void_p), _kept[-1]
