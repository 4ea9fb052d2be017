"""Chapter 11: the GPU."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from hypothesis import strategies as st

from armlab.arrays import array_namespace
from armlab.exercises.channel_dot import CHANNEL_DOT
from armlab.exercises.exercise import Arguments, Asked, Puzzle
from armlab.exercises.portable import Portable
from armlab.exercises.tf32 import ROUND_TO_TF32

FLOPS, BANDWIDTH = 50e12, 3.0e12  # of an H100, a second: float32 operations, bytes
HOST_NAMES = "np names the library of the host: take the names from array_namespace(…)"


@st.composite
def float32_arrays(draw: Any, *shape: st.SearchStrategy[int]) -> np.ndarray:
    """Normal draws of a seed, in float32."""
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    return rng.standard_normal([draw(n) for n in shape]).astype(np.float32)


SIZES = st.integers(1, 4)
MATRICES = float32_arrays(SIZES, SIZES)


def conv_floor(
    n: int, c: int, k: int, h: int, w: int, flops_each: int = 2, item: int = 4, weights: bool = True
) -> tuple[float, float]:
    multiply_adds = 9 * n * c * k * h * w
    numbers = n * c * h * w + n * k * h * w + weights * 9 * c * k
    return 1e6 * flops_each * multiply_adds / FLOPS, 1e6 * item * numbers / BANDWIDTH


def clip_gradient(g: Any, limit: float) -> Any:
    xp = array_namespace(g)
    norm = xp.sqrt(xp.sum(g * g))
    return g * (limit / xp.maximum(norm, limit))


def clip_by_float(g: Any, limit: float) -> Any:
    norm = math.sqrt(float(array_namespace(g).sum(g * g)))
    return g * (limit / norm) if norm > limit else g


def clip_by_if(g: Any, limit: float) -> Any:
    xp = array_namespace(g)
    norm = xp.sqrt(xp.sum(g * g))
    return g * (limit / norm) if norm > limit else g


def clip_by_numpy(g: Any, limit: float) -> Any:
    return g * (limit / np.maximum(np.sqrt(np.sum(g * g)), limit))


def _mean_row(s: Any, rows: Any) -> Any:
    xp = array_namespace(s)
    weight = xp.sum(s, axis=(1, 3))
    return xp.sum(weight * rows, axis=1) / xp.sum(weight, axis=1)


def attended_row(s: Any) -> Any:
    rows = array_namespace(s).arange(s.shape[2], dtype=s.dtype, device=s.device)
    return _mean_row(s, rows)


def row_by_numpy(s: Any) -> Any:
    return _mean_row(s, np.arange(s.shape[2], dtype=np.float32))


def row_on_default_device(s: Any) -> Any:
    return _mean_row(s, array_namespace(s).arange(s.shape[2], dtype=s.dtype))


def row_in_another_dtype(s: Any) -> Any:
    return _mean_row(s, array_namespace(s).arange(s.shape[2], device=s.device))


def sgd_step(w: Any, g: Any, step: int, steps: int, base: float) -> Any:
    return w - base * (1 + math.cos(math.pi * step / steps)) / 2 * g


def step_of_numpy(w: Any, g: Any, step: int, steps: int, base: float) -> Any:
    return w - base * (1 + np.cos(np.pi * step / steps)) / 2 * g


@st.composite
def steps_of_sgd(draw: Any) -> Arguments:
    seed, shape = draw(st.integers(0, 99)), (draw(SIZES), draw(SIZES))
    w, g = np.random.default_rng(seed).standard_normal((2, *shape)).astype(np.float32)
    steps = draw(st.sampled_from([10, 7, 600]))
    step = draw(st.integers(0, steps - 1))
    return {"w": w, "g": g, "step": step, "steps": steps, "base": 0.5}


GATES = float32_arrays(SIZES, st.just(1), st.integers(1, 5), SIZES).map(lambda a: 1 / (1 + a * a))

EXERCISES: dict[str, Asked] = {
    "channel_dot": CHANNEL_DOT,
    "round_to_tf32": ROUND_TO_TF32,
    "clip_gradient": Portable(
        "clip_gradient(g, limit) -> clipped",
        st.fixed_dictionaries({"g": MATRICES, "limit": st.sampled_from([0.5, 1.0, 100.0])}),
        clip_gradient,
        {
            "float(…) hands a number to Python, and waits until the device has it: "
            "leave the norm an array": clip_by_float,
            "`if` wants a truth value, and waits until the device has it: "
            "compute one factor that is right in both cases": clip_by_if,
            HOST_NAMES: clip_by_numpy,
        },
        relative=1e-5,
    ),
    "attended_row": Portable(
        "attended_row(s) -> row",
        st.fixed_dictionaries({"s": GATES}),
        attended_row,
        {
            "an array that is made from nothing lies on the default device: "
            "say device=s.device": row_on_default_device,
            "arange counts in integers, and NumPy makes float64 of int64 times float32: "
            "say dtype=s.dtype": row_in_another_dtype,
            HOST_NAMES: row_by_numpy,
        },
        relative=1e-5,
    ),
    "sgd_step": Portable(
        "sgd_step(w, g, step, steps, base) -> new",
        steps_of_sgd(),
        sgd_step,
        {
            "np.cos returns a np.float64, which makes float64 of float32 arrays: "
            "use math.cos, or float(…) of it": step_of_numpy,
        },
        relative=1e-5,
    ),
    "conv_floor": Puzzle(
        "conv_floor(n, c, k, h, w) -> compute, memory",
        st.fixed_dictionaries(
            {
                "n": st.integers(1, 8),
                "c": st.sampled_from([1, 3, 512]),
                "k": st.sampled_from([1, 7, 128]),
                "h": st.sampled_from([1, 32, 64]),
                "w": st.sampled_from([1, 64, 96]),
            }
        ),
        conv_floor,
        {
            "a multiply-add is two operations": lambda **e: conv_floor(**e, flops_each=1),
            "a float32 has 4 bytes": lambda **e: conv_floor(**e, item=1),
            "the weights are read as well": lambda **e: conv_floor(**e, weights=False),
        },
        relative=1e-9,
    ),
}
