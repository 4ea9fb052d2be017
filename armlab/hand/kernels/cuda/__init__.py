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
from typing import Any

import numpy as np

from armlab.arrays import Array, dtype_name

HERE = Path(__file__).parent
REAL = {"float32": "float", "float64": "double"}
THREADS = 256  # of a block, where each thread has one element


def launch(page: str, kernel: str, like: Array, count: int, *arguments: Any) -> None:
    """Launch a kernel of a page with one thread for each of `count` elements; of none, not at all.

    like       an array whose dtype is `real`
    arguments  arrays, numbers as they are declared: a Python int is `long long`, and a structure
               is a NumPy array of that dtype
    """
    launch_blocks(page, kernel, like, -(-count // THREADS), THREADS, *arguments)


def launch_blocks(
    page: str, kernel: str, like: Array, blocks: int, threads: int, *arguments: Any
) -> None:
    """Launch a kernel with so many blocks of so many threads."""
    if blocks:
        module(page, dtype_name(like)).get_function(kernel)((blocks,), (threads,), arguments)


def empty(like: Array, shape: tuple[int, ...], dtype: str | None = None) -> Array:
    """Memory for a result, of this dtype unless another is named."""
    return importlib.import_module("cupy").empty(shape, dtype or like.dtype)


def contiguous(x: Array) -> Array:
    """The array itself where it lies row by row, else a copy that does."""
    return importlib.import_module("cupy").ascontiguousarray(x)


def structure(**numbers: int) -> np.ndarray:
    """A `struct` of 64-bit integers, in this order."""
    kind = np.dtype([(key, np.int64) for key in numbers], align=True)
    return np.array(tuple(numbers.values()), kind)


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
def module(page: str, dtype: str) -> Any:
    """The kernels of a page for this dtype, compiled when they are first asked for."""
    cupy = importlib.import_module("cupy")
    return cupy.RawModule(code=source(page), options=options(dtype))
