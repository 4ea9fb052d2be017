"""CUDA kernels for the arrays of CuPy: a page NAME.cu each, and how one is launched.

A page says what its kernel computes, by the equation numbers of the specification, and what it
reads and writes next to the floor: each input once, each output once. It is written for `real`,
which is float or double, and compiled by NVRTC when it is first called. Its arrays are contiguous.
Indices are 64 bits wide: an array may have more than 2³¹ elements.
"""

from __future__ import annotations

import importlib
import re
from functools import cache
from pathlib import Path
from struct import pack
from typing import Any, TypeAlias

import numpy as np

from armlab.arrays import Array

HERE = Path(__file__).parent
REAL = {"float32": "float", "float64": "double"}
THREADS = 256  # of a block
ALONG_Y = 65535  # blocks of a grid, at most; along x there may be 2³¹ - 1
NOTHING = 0  # a pointer to no array
Extent: TypeAlias = int | tuple[int, ...]


def launch(page: str, kernel: str, like: Array, count: int, *arguments: Any) -> None:
    """Launch a kernel of a page with one thread for each of `count` elements; of none, not at all.

    like       an array whose dtype is `real`
    arguments  arrays, numbers as they are declared: a Python int is `long long`, and a structure
               is a NumPy scalar of that dtype
    """
    launch_blocks(page, kernel, like, -(-count // THREADS), THREADS, *arguments)


def launch_blocks(
    page: str, kernel: str, like: Array, blocks: Extent, threads: Extent, *arguments: Any
) -> None:
    """Launch a kernel with so many blocks of so many threads, or so many along x, y and z."""
    grid = blocks if isinstance(blocks, tuple) else (blocks,)
    block = threads if isinstance(threads, tuple) else (threads,)
    if 0 not in grid:
        device = cupy().cuda.runtime.getDevice()
        function(page, kernel, like.dtype, device)(grid, block, arguments)


def along_y_and_z(blocks: int) -> tuple[int, int]:
    """A grid of at least so many blocks, of which y takes 65,535."""
    along_y = min(blocks, ALONG_Y)
    return along_y, -(-blocks // max(along_y, 1))


def empty(like: Array, shape: tuple[int, ...], dtype: str | None = None) -> Array:
    """Memory for a result, of this dtype unless another is named."""
    return cupy().ndarray(shape, dtype or like.dtype)


def contiguous(x: Array) -> Array:
    """The array itself where it lies row by row, else a copy that does."""
    return cupy().ascontiguousarray(x)


def structure(**numbers: int) -> np.void:
    """A `struct` of 64-bit integers, in this order.

    A scalar, which CuPy hands over five times as fast as an array of one.
    """
    return np.frombuffer(pack(f"{len(numbers)}q", *numbers.values()), _integers(*numbers))[0]


@cache
def _integers(*names: str) -> np.dtype:
    return np.dtype([(name, np.int64) for name in names])


def options(dtype: str) -> tuple[str, ...]:
    """What NVRTC is told of a page, beside what CuPy tells it."""
    return "-std=c++17", f"-Dreal={REAL[dtype]}"


def source(page: str) -> str:
    """The text of a page, with the pages NAME.cuh that it includes in their place, and so on."""
    included = re.compile(r'^#include "(.+)"$', re.MULTILINE)

    def text(name: str) -> str:
        whole = (HERE / name).read_text(encoding="utf-8")
        return included.sub(lambda found: text(found[1]), whole)

    return text(f"{page}.cu")


@cache
def function(page: str, kernel: str, dtype: Any, device: int) -> Any:
    """A kernel of a page for this dtype, on the device with this number."""
    return module(page, dtype.name).get_function(kernel)


@cache
def module(page: str, dtype: str) -> Any:
    """The kernels of a page for this dtype, compiled when they are first asked for."""
    return cupy().RawModule(code=source(page), options=options(dtype))


def forget() -> None:
    """Compile anew what is asked for next: the pages say something else."""
    function.cache_clear()
    module.cache_clear()


@cache
def cupy() -> Any:
    """The library, which is imported when the first kernel is launched."""
    return importlib.import_module("cupy")
