"""Stacks of matrix products on CuPy, one call of cuBLAS for all of them.

CuPy's own `@` launches kernels that write tables of pointers where a factor is the same for the
whole stack. cuBLAS needs none: it goes from one matrix to the next by a stride, and that may be 0.
"""

from __future__ import annotations

import importlib
from functools import cache
from typing import Any

import numpy as np

from armlab.arrays import Array


def multiply(
    a: Array, b: Array, out: Array, *, a_transposed: bool = False, b_transposed: bool = False
) -> None:
    """out[i] = a[i] b[i], each transposed before if that is asked for.

    a    (M, K) or (B, M, K);  transposed (K, M) or (B, K, M)
    b    (K, N) or (B, K, N);  transposed (N, K) or (B, N, K)
    out  (B, M, N)

    All lie row by row, which cuBLAS, to whom matrices lie column by column, takes for their
    transposes: it is asked for outᵀ = bᵀ aᵀ. A factor with two axes is the same for each i.
    """
    (stack, m, n), k = out.shape, a.shape[-2 if a_transposed else -1]
    if not out.size:
        return
    if not k:
        out.fill(0)
        return
    of = _library(out.dtype)
    of.product(
        of.handle(),
        int(b_transposed),
        int(a_transposed),
        *(n, m, k),
        of.one,
        *_matrices(b),
        *_matrices(a),
        of.zero,
        *_matrices(out),
        stack,
    )


class _Library:
    """cuBLAS for one dtype: its product, and where its factors 1 and 0 are."""

    def __init__(self, dtype: np.dtype) -> None:
        cuda = importlib.import_module("cupy.cuda")
        name = {"float32": "s", "float64": "d"}[dtype.name] + "gemmStridedBatched"
        self.product, self.handle = getattr(cuda.cublas, name), cuda.device.get_cublas_handle
        self.factors = np.array([1, 0], dtype)
        self.one = self.factors.ctypes.data
        self.zero = self.one + dtype.itemsize


_library = cache(_Library)


def _matrices(x: Array) -> tuple[Any, int, int]:
    """Where they begin, how long a row is, and how far the next matrix is."""
    stride = 0 if x.ndim == 2 else x.shape[1] * x.shape[2]
    return x.data.ptr, max(x.shape[-1], 1), stride
