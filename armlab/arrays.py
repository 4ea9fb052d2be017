"""Arrays: which library one belongs to, where it lives, and the helpers the standard lacks.

Everything by hand is written against the Python array API standard, so the same lines run on
NumPy, on CuPy, on array_api_strict (the stand-in for a device) and on torch tensors. This is the
only file that `armlab.hand` needs to know a library by name.
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

Array: TypeAlias = Any  # an array of any library; the standard defines no common type
Rng: TypeAlias = np.random.Generator | int | None
DType: TypeAlias = Any  # float32 or float64 in any library's spelling: see `dtype_of`
Device: TypeAlias = Any  # "cpu", "cuda:1", "emulated", or a library's own device: see `place`


def array_namespace(*arrays: Array | None) -> Any:
    """The library of these arrays, once it is sure that they can meet in one operation.

    They must belong to one library and one device and share one dtype, float32 or float64.
    An absent array (None) is passed over.
    """
    given = [a for a in arrays if a is not None]
    if given and all(type(a) is np.ndarray for a in given):
        xp: Any = HOST.xp  # the usual case, without a search: this is called at every step
    else:
        try:
            xp = array_api_compat.array_namespace(*given)
        except TypeError:
            raise TypeError(_why_no_namespace(given)) from None
    _expect_one_dtype(xp, given)
    _expect_one_device(given)
    return xp


def _why_no_namespace(arrays: list[Any]) -> str:
    for a in arrays:
        if not array_api_compat.is_array_api_obj(a):
            return (
                f"expected an array, got {type(a).__qualname__}: "
                "wrap it, for example with numpy.asarray(values, dtype='float32')"
            )
    names = " and ".join(dict.fromkeys(type(a).__module__.split(".")[0] for a in arrays))
    return f"expected arrays of one library, got {names}: move them with armlab.arrays.move"


def _expect_one_dtype(xp: Any, arrays: list[Array]) -> None:
    dtype = arrays[0].dtype
    if all(a.dtype == dtype for a in arrays) and dtype in (xp.float32, xp.float64):
        return
    names = " and ".join(dict.fromkeys(dtype_name(a) for a in arrays))
    raise TypeError(
        f"expected arrays of one dtype, float32 or float64, got {names}: "
        "convert them first, for example x.astype('float32')"
    )


def _expect_one_device(arrays: list[Array]) -> None:
    if isinstance(arrays[0], np.ndarray):
        return
    devices = list(dict.fromkeys(device_words(array_api_compat.device(a)) for a in arrays))
    if len(devices) > 1:
        raise ValueError(
            f"expected arrays on one device, got {' and '.join(devices)}: "
            "move the module with module.to(device) or the array with armlab.arrays.move"
        )


def dtype_name(array: Array) -> str:
    """'float32' for an array of any library."""
    return str(array.dtype).rsplit(".", 1)[-1]


def dtype_of(spelling: DType) -> str:
    """'float32' or 'float64', from any usual spelling of it.

    NumPy's ("float32", "f4", "<f4", numpy.float32, numpy.dtype("f4"), and float, which is float64),
    CuPy's, which are the same, PyTorch's and array_api_strict's (torch.float32).
    """
    if isinstance(spelling, str | type | np.dtype):
        try:
            known = np.dtype(spelling)
        except (TypeError, ValueError):
            name = None
        else:
            name = known.name if known.isnative else None
    else:
        name = str(spelling).rsplit(".", 1)[-1]  # torch.float32 is no type: only its name tells
    if name not in ("float32", "float64"):
        raise TypeError(
            f"expected dtype 'float32' or 'float64', got {spelling!r}: choose one of them"
        )
    return name


def generator(rng: Rng) -> np.random.Generator:
    """A generator from a seed; a generator is passed through, so that a network shares one."""
    return np.random.default_rng(rng)


def normal(
    rng: np.random.Generator, shape: tuple[int, ...], std: float, dtype: DType
) -> np.ndarray:
    """Host array of independent normal draws with mean 0. Drawn in float64, then rounded."""
    return (std * rng.standard_normal(shape)).astype(dtype_of(dtype))


@dataclass(frozen=True)
class Place:
    """Where arrays live: a library and one of its devices."""

    xp: Any
    device: Any

    def asarray(self, host: Any, dtype: str | None = None) -> Array:
        """Copy host values to this place."""
        host = np.array(host, dtype=dtype)
        if "cupy" in self.xp.__name__:
            with self.device:
                return self.xp.asarray(host)
        return self.xp.asarray(host, device=self.device)


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
    except ImportError:
        raise RuntimeError(
            f"device {device!r} needs CuPy, which is not installed: "
            "install it with  pip install 'armlab[gpu]'"
        ) from None
    count = _gpu_count(cupy)
    if count == 0:
        raise RuntimeError(
            f"device {device!r} needs an NVIDIA GPU and its driver, and CuPy finds none: "
            "check that nvidia-smi answers, or use device 'cpu'"
        )
    if index >= count:
        raise RuntimeError(f"device {device!r} is not there, CuPy finds {count}: use 'cuda:0'")
    return Place(importlib.import_module("array_api_compat.cupy"), cupy.cuda.Device(index))


def _gpu_count(cupy: Any) -> int:
    """How many GPUs CuPy finds: real ones, the device in software is none."""
    if emulated():
        return 0
    try:
        return int(cupy.cuda.runtime.getDeviceCount())
    except cupy.cuda.runtime.CUDARuntimeError:
        return 0


def place_of(array: Array) -> Place:
    """Where this array lives."""
    return Place(array_api_compat.array_namespace(array), array_api_compat.device(array))


def to_host(array: Array) -> np.ndarray:
    """The values as a NumPy array: a view where they are on the host already, else a copy."""
    if isinstance(array, np.ndarray | np.generic):
        return np.asarray(array)
    if array_api_compat.is_torch_array(array):
        return array.detach().cpu().numpy()
    if array_api_compat.is_cupy_array(array):
        host: np.ndarray = array.get()
        return host
    xp = array_api_compat.array_namespace(array)
    return np.asarray(array.to_device(xp.Device("CPU_DEVICE")))


def move(array: Array, device: Device) -> Array:
    """The array at another place: itself if it is there already, else a copy."""
    target = place(device)
    return array if place_of(array) == target else target.asarray(to_host(array))


def unbroadcast(g: Array, shape: tuple[int, ...]) -> Array:
    """Sum a gradient back to the shape of a value that was repeated by broadcasting.

    One value that feeds many outputs collects the gradients of all of them. May return g itself.
    """
    xp = array_api_compat.array_namespace(g)
    repeated = tuple(i for i, n in enumerate(shape) if n == 1 and g.shape[i] != 1)
    return xp.sum(g, axis=repeated, keepdims=True) if repeated else g


def repeatable(a: Array) -> Array:
    """The array, fit to be repeated along axes of length 1 in a matrix product. May return a.

    CuPy's matmul raises OverflowError where such an axis has a negative stride, as it has in
    views of a reversed array: there it is a copy.
    """
    refused = array_api_compat.is_cupy_array(a) and any(
        n == 1 and stride < 0 for n, stride in zip(a.shape, a.strides, strict=True)
    )
    return a.copy() if refused else a


def pad(x: Array, padding: tuple[int, int], value: float = 0.0) -> Array:
    """Add rows above and below and columns left and right. May return x itself.

    x  (N, C, H, W)  ->  (N, C, H + 2 padding[0], W + 2 padding[1])
    """
    if padding == (0, 0):
        return x
    xp = array_api_compat.array_namespace(x)
    (n, c, h, w), (top, left) = x.shape, padding
    y = xp.full(
        (n, c, h + 2 * top, w + 2 * left),
        value,
        dtype=x.dtype,
        device=array_api_compat.device(x),
    )
    y[:, :, top : top + h, left : left + w] = x
    return y
