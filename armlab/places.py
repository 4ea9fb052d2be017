"""Places: the library and the device that arrays live on.

A device has three spellings, "cpu", "cuda:1" and "emulated"; `place` turns one into a place, or
says in one sentence what is missing.
"""

from __future__ import annotations

import importlib
import re
import sys
from dataclasses import dataclass
from typing import Any, TypeAlias

import array_api_compat
import array_api_compat.numpy
import numpy as np

OLD_DRIVER, NO_DEVICE = 35, 100  # as cudaError_t numbers them; the first is that of no driver too
Device: TypeAlias = Any  # "cpu", "cuda:1", "emulated", or a library's own device: see `place`


@dataclass(frozen=True)
class Place:
    """Where arrays live: a library and one of its devices."""

    xp: Any
    device: Any

    def asarray(self, host: Any, dtype: str | None = None) -> Any:
        """Copy host values to this place."""
        if "cupy" in self.xp.__name__:
            with self.device:
                return self.xp.asarray(np.asarray(host, dtype=dtype))
        return self.xp.asarray(np.array(host, dtype=dtype), device=self.device)


HOST = Place(array_api_compat.numpy, "cpu")


def device_name(device: Device) -> str:
    """'cpu', 'cuda', 'cuda:1' or 'emulated', from any usual spelling.

    That may be a torch.device, or a cupy.cuda.Device, which is 'emulated' where CuPy runs on the
    device in software.
    """
    if type(device).__module__.startswith("cupy"):
        return "emulated" if emulated() and device.id == 0 else f"cuda:{device.id}"
    name = str(device) if type(device).__module__ == "torch" else device
    if not isinstance(name, str) or not re.fullmatch(r"cpu(:0)?|cuda(:[0-9]+)?|emulated", name):
        raise ValueError(
            f"expected device 'cpu', 'cuda', 'cuda:N' or 'emulated', got {device!r}: choose one"
        )
    return "cpu" if name == "cpu:0" else name


def device_words(found: Any) -> str:
    """A device of any library, as a message names it."""
    return device_name(found) if type(found).__module__.startswith("cupy") else str(found)


def emulated() -> bool:
    """Whether the CUDA device that CuPy has in this process is the one of `armlab.emulator`."""
    emulator = sys.modules.get("armlab.emulator")
    return emulator is not None and bool(emulator.installed())


def place(device: Device) -> Place:
    """The place of this device; of a Place, itself.

    "cpu" is NumPy, "cuda" and "cuda:1" are CuPy on a GPU. "emulated" is CuPy on a CUDA device in
    software, which takes the place of all GPUs in this process: "cuda" is refused from then on.

    Raises RuntimeError that says what is missing.
    """
    if isinstance(device, Place):
        return device
    name = device_name(device)
    if name == "emulated":
        return _emulated_place()
    return HOST if name == "cpu" else _cupy_place(name, int(name[5:] or 0))


def _emulated_place() -> Place:
    emulator = importlib.import_module("armlab.emulator")
    if why := emulator.why_not():
        raise RuntimeError(f"there is no device 'emulated' here: {why}")
    if "cupy" in sys.modules and not emulator.installed():
        raise RuntimeError(
            "device 'emulated' has to be there before CuPy is imported, which it is already: "
            "ask for it first, in a new process"
        )
    emulator.install()
    return Place(
        importlib.import_module("array_api_compat.cupy"),
        importlib.import_module("cupy").cuda.Device(0),
    )


def _cupy_place(device: str, index: int) -> Place:
    try:
        cupy = importlib.import_module("cupy")
    except ImportError as error:
        absent = error.name == "cupy"
        what = "not installed" if absent else f"installed and cannot be imported ({error})"
        first = "" if absent else "uninstall it, and "
        raise RuntimeError(
            f"device {device!r} needs CuPy, which is {what}: "
            f"{first}install it with  pip install 'armlab[gpu]'"
        ) from None
    count = _gpu_count(cupy, device)
    if count == 0:
        raise RuntimeError(
            f"device {device!r} needs an NVIDIA GPU and its driver, and CuPy finds none: "
            "check that nvidia-smi answers, or use device 'cpu'"
        )
    if index >= count:
        raise RuntimeError(f"device {device!r} is not there, CuPy finds {count}: use 'cuda:0'")
    return Place(importlib.import_module("array_api_compat.cupy"), cupy.cuda.Device(index))


def _gpu_count(cupy: Any, device: str) -> int:
    """How many GPUs CuPy finds: real ones, the device in software is none."""
    if emulated():
        return 0
    try:
        return int(cupy.cuda.runtime.getDeviceCount())
    except cupy.cuda.runtime.CUDARuntimeError as error:
        if error.status == OLD_DRIVER:
            _expect_no_driver(cupy.cuda.runtime, device)
        if error.status in (OLD_DRIVER, NO_DEVICE):
            return 0
        raise RuntimeError(
            f"device {device!r} cannot be asked for, its driver says {error}: "
            "check that nvidia-smi answers, or use device 'cpu'"
        ) from error


def _expect_no_driver(runtime: Any, device: str) -> None:
    """Refuse a driver that is there, and older than the CUDA that this CuPy was built for."""
    has, needs = runtime.driverGetVersion(), runtime.runtimeGetVersion()  # 12080 is CUDA 12.8
    if 0 < has < needs // 1000 * 1000:
        raise RuntimeError(
            f"device {device!r} needs a driver for CUDA {needs // 1000}, as this CuPy does, and "
            f"the one here is for CUDA {has // 1000}.{has % 1000 // 10}: renew the driver, or "
            f"install cupy-cuda{has // 1000}x in place of this CuPy"
        )


def place_of(array: Any) -> Place:
    """Where this array lives."""
    if type(array) is np.ndarray:
        return HOST  # the usual case, without a search
    return Place(array_api_compat.array_namespace(array), array_api_compat.device(array))
