"""One memory under two names: an array of NumPy or CuPy, and a tensor of PyTorch."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import array_api_compat
import numpy as np
import torch
from torch import Tensor

from armlab.arrays import Array, dtype_name
from armlab.places import device_words, place_of

Memory: TypeAlias = tuple[int, torch.dtype, torch.Size, tuple[int, ...]]


def array_of(t: Tensor) -> Array:
    """The memory of a tensor as an array of any strides: NumPy's on the CPU, CuPy's on a GPU.

    Raises TypeError for what neither has, such as bfloat16 or the device "meta".
    """
    t = t.detach()
    if t.is_cuda:
        return importlib.import_module("cupy").from_dlpack(t)
    if t.device.type != "cpu" or t.dtype == torch.bfloat16:
        raise TypeError(
            f"expected a tensor on cpu or cuda that NumPy or CuPy can read, got {_words(t)}: "
            "move or convert it first, with .to(…)"
        )
    return t.numpy()


def tensor_of(a: Array) -> Tensor:
    """The memory of an array as a tensor: on the CPU of NumPy's, on a GPU of CuPy's.

    What PyTorch cannot hold is copied: an array that nobody may write to, or that runs backwards.
    Raises TypeError for arrays of other libraries, RuntimeError where this PyTorch has no GPU.
    """
    if isinstance(a, np.ndarray | np.generic):
        host = np.asarray(a)
        fits = host.flags.writeable and min(host.strides, default=0) >= 0
        return torch.from_numpy(host if fits else host.copy())
    if not array_api_compat.is_cupy_array(a):
        library = type(a).__module__.split(".")[0]
        raise TypeError(f"expected arrays of NumPy or CuPy, got {library}: move them to one first")
    if not torch.cuda.is_available():
        raise RuntimeError(
            f"expected arrays on cpu, as this PyTorch finds no GPU, got CuPy's on "
            f"{device_words(place_of(a).device)}: move the module with .to('cpu')"
        )
    tensor: Tensor = torch.utils.dlpack.from_dlpack(
        a if min(a.strides, default=0) >= 0 else a.copy()
    )
    return tensor


def address(a: Array) -> int:
    """Where an array begins."""
    return int(a.__array_interface__["data"][0] if isinstance(a, np.ndarray) else a.data.ptr)


def memory_of(t: Tensor) -> Memory:
    """Where a tensor lies and how it is read: two that agree in all of it are one.

    Raises TypeError for one that lies nowhere, as within torch.func.grad and vmap.
    """
    try:
        return t.data_ptr(), t.dtype, t.shape, t.stride()
    except RuntimeError:
        raise TypeError(
            "expected a tensor with memory of its own, got one that only stands for such, as in "
            "torch.func.grad and vmap: take the twin there"
        ) from None


def tensors_apart(arrays: Iterable[Array | None], taken: Iterable[Array]) -> list[Tensor | None]:
    """As `tensor_of` for each, but a copy of one that begins where another or one of `taken` does.

    By hand the same array may be returned twice, as nobody writes to it; PyTorch does write, into
    the gradient of a weight.
    """
    begun = {address(a) for a in taken}
    tensors: list[Tensor | None] = []
    for a in arrays:
        if a is None:
            tensors.append(None)
            continue
        t = tensor_of(a)
        tensors.append(t.clone() if t.data_ptr() in begun else t)
        begun.add(t.data_ptr())
    return tensors


@contextmanager
def running_at(t: Tensor) -> Iterator[None]:
    """Within this block, CuPy computes on the device and the stream that PyTorch has for this t."""
    if not t.is_cuda:
        yield
        return
    cuda: Any = importlib.import_module("cupy").cuda
    handle = torch.cuda.current_stream(t.device).cuda_stream
    with cuda.Device(t.device.index), cuda.Stream.from_external(_Stream(handle)):
        yield


@dataclass(frozen=True)
class _Stream:
    """A CUDA stream as libraries hand one to each other."""

    handle: int

    def __cuda_stream__(self) -> tuple[int, int]:
        return 0, self.handle  # version of the protocol, address of the stream


def expect_alike(name: str, inputs: Iterable[Tensor], weights: Iterable[Tensor]) -> None:
    """Refuse inputs that are not tensors of one dtype and device, those of the weights."""
    like = next(iter(weights), None)
    for x in inputs:
        if not isinstance(x, Tensor):
            raise TypeError(f"{name} expected tensors, got {type(x).__name__}: give torch.Tensor")
        if x.dtype not in (torch.float32, torch.float64):
            raise TypeError(f"{name} expected float32 or float64, got {_words(x)}: convert it")
        like = x if like is None else like
        if (x.dtype, x.device) != (like.dtype, like.device):
            raise TypeError(
                f"{name} expected {_words(like)}, as its weights or its first input, got "
                f"{_words(x)}: convert it, or the layer, with .to(…)"
            )


def _words(t: Tensor) -> str:
    return f"{dtype_name(t)} on {t.device}"
