"""Arrays: which library one belongs to, moving one, and the helpers the standard lacks.

Everything by hand is written against the Python array API standard, so the same lines run on
NumPy, on CuPy, on array_api_strict (the stand-in for a device) and on torch tensors. For
`armlab.hand`, this file and `armlab.places` alone know a library by name.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from functools import cache
from numbers import Integral
from typing import Any, TypeAlias

import array_api_compat
import numpy as np

from armlab.places import HOST, Device, device_words, place, place_of

Array: TypeAlias = Any  # an array of any library; the standard defines no common type
Rng: TypeAlias = np.random.Generator | int | None
DType: TypeAlias = Any  # float32 or float64 in any library's spelling: see `dtype_of`
FLOATS = np.dtype("float32"), np.dtype("float64")


def array_namespace(*arrays: Array | None) -> Any:
    """The library of these arrays, once it is sure that they can meet in one operation.

    They must belong to one library and one device and share one dtype, float32 or float64.
    An absent array (None) is passed over.
    """
    if xp := usual_namespace(*arrays):
        return xp
    given = [a for a in arrays if a is not None]
    if not all(hasattr(a, "dtype") for a in given):  # the next line passes numbers over
        raise TypeError(_why_no_namespace(given))
    try:
        xp = array_api_compat.array_namespace(*given)
    except TypeError:
        raise TypeError(_why_no_namespace(given)) from None
    _expect_one_dtype(xp, given)
    _expect_one_device(given)
    return xp


def usual_namespace(*arrays: Array | None) -> Any:
    """The library of NumPy's or CuPy's arrays of one dtype on one device, told without a search.

    A step asks a thousand times. None says that a search has to tell. The dtypes in FLOATS are
    objects that NumPy has once, and CuPy's are NumPy's; one of another make is searched for.
    """
    first = xp = None
    for a in arrays:
        if a is None:
            continue
        kind: Any = type(a)
        if first is None:
            first, xp = a, _usual_library(kind)
            if xp is None or a.dtype not in FLOATS:
                return None
            continue
        alike = kind is type(first) and a.dtype is first.dtype
        if not alike or (xp is not HOST.xp and a.data.device_id != first.data.device_id):
            return None
    return xp


@cache
def _usual_library(kind: type) -> Any:
    """Of the arrays of this class, None where they are neither NumPy's nor CuPy's own."""
    if kind is np.ndarray:
        return HOST.xp
    cupys = f"{kind.__module__}.{kind.__qualname__}" == "cupy.ndarray"
    return importlib.import_module("array_api_compat.cupy") if cupys else None


def _why_no_namespace(arrays: list[Any]) -> str:
    for a in arrays or [None]:
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
    dtype, (float32, float64) = array.dtype, FLOATS
    if dtype is float32:  # the usual case, as in `usual_namespace`: to write its name takes longer
        return "float32"
    return "float64" if dtype is float64 else str(dtype).rsplit(".", 1)[-1]


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
    """A generator from a seed; a generator is passed through, so that a network shares one.

    Raises TypeError for what is neither.
    """
    seed = isinstance(rng, Integral) and not isinstance(rng, bool) and rng >= 0
    if not (seed or rng is None or isinstance(rng, np.random.Generator)):
        raise TypeError(
            f"expected rng as a seed of at least 0, a numpy.random.Generator or None, got {rng!r}: "
            "give one of them"
        )
    return np.random.default_rng(rng)


def normal(
    rng: np.random.Generator, shape: tuple[int, ...], std: float, dtype: DType
) -> np.ndarray:
    """Host array of independent normal draws with mean 0. Drawn in float64, then rounded."""
    return (std * rng.standard_normal(shape)).astype(dtype_of(dtype))


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


def flat(arrays: Iterable[Array]) -> Array:
    """All values of several arrays behind each other, as one array of one axis."""
    several = list(arrays)
    xp = array_namespace(*several)
    return xp.concat([xp.reshape(a, (-1,)) for a in several])


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
