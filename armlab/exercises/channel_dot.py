"""Of chapter 11b: the kernel of the gate's backward, Σ dy x for each channel."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from armlab.check.bounds import TINY
from armlab.check.functions import ROUNDOFF
from armlab.exercises.exercise import Arguments
from armlab.exercises.kernel import Kernel

THREADS = 64  # of each block

RIGHT = """
extern "C" __global__
void channel_dot(const float* dy, const float* x, float* ds, int pixels) {
    __shared__ float part[64];
    int t = threadIdx.x, first = blockIdx.x * pixels;
    float mine = 0;
    for (int i = t; i < pixels; i += blockDim.x) mine += dy[first + i] * x[first + i];
    part[t] = mine;
    __syncthreads();
    if (t == 0) {
        float sum = 0;
        for (int k = 0; k < blockDim.x; k++) sum += part[k];
        ds[blockIdx.x] = sum;
    }
}
"""
LOOP = "for (int i = t; i < pixels; i += blockDim.x)"


@st.composite
def channels(draw: Any) -> Arguments:
    """Fewer pixels than threads, and more; primes, so that the last round is never full."""
    n, c = draw(st.integers(1, 2)), draw(st.integers(1, 3))
    h, w = draw(st.sampled_from([1, 2, 7, 13])), draw(st.sampled_from([1, 3, 11]))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    dy, x = rng.standard_normal((2, n, c, h, w)).astype(np.float32)
    return {"dy": dy, "x": x}


def launch(kernel: Any, dy: np.ndarray, x: np.ndarray) -> Any:
    """A block for each channel of each image."""
    cupy = importlib.import_module("cupy")
    n, c, h, w = x.shape
    ds = cupy.empty((n, c), np.float32)
    kernel((n * c,), (THREADS,), (cupy.asarray(dy), cupy.asarray(x), ds, np.int32(h * w)))
    return ds


def answer(dy: np.ndarray, x: np.ndarray) -> np.ndarray:
    total: np.ndarray = (dy * x).sum(axis=(2, 3))
    return total


def limit(dy: np.ndarray, x: np.ndarray) -> np.ndarray:
    """In any order: each product rounds once, and each of the additions that it goes through."""
    pixels = x.shape[2] * x.shape[3]
    size: np.ndarray = np.abs(dy * x).sum(axis=(2, 3))
    most: np.ndarray = (pixels + THREADS) * (ROUNDOFF["float32"] * size + TINY)
    return most


def with_(old: str, new: str) -> Callable[[], str]:
    """The right kernel with a mistake in it."""
    assert old in RIGHT
    return lambda: RIGHT.replace(old, new)


CHANNEL_DOT = Kernel(
    "channel_dot() -> ds",
    channels(),
    answer,
    {
        "threads read what others write, and nobody has waited: "
        "__syncthreads() stands between the two, and one thread adds up": with_(
            "__syncthreads();", ""
        ),
        "a barrier is for all threads of a block: "
        "no `if`, loop or return around it on which they differ": with_(
            "__syncthreads();", "if (t < pixels) __syncthreads();"
        ),
        "a thread reads where there is no pixel: the last index is pixels - 1": with_(
            "i < pixels", "i <= pixels"
        ),
        "this is the mean: one gate feeds all pixels, and their gradients add up": with_(
            "= sum;", "= sum / pixels;"
        ),
        "a channel may have more pixels than a block has threads: "
        "each thread goes on with i += blockDim.x": with_(LOOP, "if (int i = t; i < pixels)"),
        "the pixels of block b begin at b * pixels, whatever the number of threads": with_(
            "blockIdx.x * pixels", "blockIdx.x * blockDim.x"
        ),
        "every block reads the first channel: blockIdx.x says which is its own": with_(
            "blockIdx.x * pixels", "0"
        ),
        "ds is Σ dy x: what reaches the gate comes with the pixel that it scaled": with_(
            " * x[first + i]", ""
        ),
        "ds holds whatever lay there before: write the sum, add nothing to it": with_(
            "ds[blockIdx.x] = sum", "ds[blockIdx.x] += sum"
        ),
        "this is the part of one thread: all of them add up": with_("sum += part[k]", "sum = mine"),
    },
    kernel="channel_dot",
    launch=launch,
    limit=limit,
)
