"""Of chapter 11."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from armlab.arrays import array_namespace
from wrong_answers.answer import Wrong


def norm_of(g: Any) -> Any:
    xp = array_namespace(g)
    return xp.sqrt(xp.sum(g * g))


def rows_of(s: Any, rows: Any) -> Any:
    xp = array_namespace(s)
    weight = xp.sum(s, axis=(1, 3))
    return xp.sum(weight * rows, axis=1) / xp.sum(weight, axis=1)


def floor(n: int, c: int, k: int, h: int, w: int) -> tuple[float, float]:
    compute = 2 * 9 * n * c * k * h * w / 50e12 * 1e6
    return compute, 4 * (n * (c + k) * h * w + 9 * c * k) / 3.0e12 * 1e6


IN_A_TREE = """
#define STEP(half) { if (me < half) table[me] += table[me + half]; WAIT }
#define WAIT __syncthreads();
extern "C" __global__ void channel_dot(
    const float *gradient, const float *features, float *out, const int n) {
  __shared__ float table[64];
  const int me = threadIdx.x;
  const long begin = long(blockIdx.x) * n;
  table[me] = 0.0f;
  for (int p = me; p < n; p += 64) table[me] += features[begin + p] * gradient[begin + p];
  WAIT
  STEP(32) STEP(16) STEP(8) STEP(4) STEP(2) STEP(1)
  if (me == 0) out[blockIdx.x] = table[0];
}
"""


def in_a_tree(*changes: tuple[str, str]) -> Callable[[], str]:
    """A kernel that is right, but for these, and written unlike the exercise's own."""
    text = IN_A_TREE
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return lambda: text


def unit(x: Any) -> Any:
    """1 over the last of 10 bits behind the leading one, in float64."""
    return 2.0 ** (10 - np.floor(np.log2(np.abs(x.astype(np.float64)))))


WRONG: Wrong = {
    "channel_dot": [
        (in_a_tree(("table[me + half]; WAIT", "table[me + half];")), "__syncthreads() stands"),
        (in_a_tree(("\n  WAIT", "")), "__syncthreads() stands"),
        (in_a_tree(("half]; WAIT }", "half]; else return; WAIT }")), "for all threads of a block"),
        (in_a_tree(("p < n", "p < n + 1")), "a thread reads where there is no pixel"),
        (
            in_a_tree(("for (int p = me; p < n; p += 64)", "for (int p = me; p < 64; p += 64)")),
            "no pixel",
        ),
        (
            in_a_tree(("for (int p = me; p < n; p += 64)", "if (int p = me; p < n)")),
            "more pixels than",
        ),
        (in_a_tree(("table[0];", "table[0] / n;")), "this is the mean"),
        (in_a_tree(("* n;", "* blockDim.x;")), "begin at b * pixels"),
        (in_a_tree(("long(blockIdx.x) * n", "0")), "every block reads the first channel"),
        (in_a_tree(("features[begin + p] * ", "")), "ds is Σ dy x"),
        (in_a_tree(("] = table[0]", "] += table[0]")), "write the sum, add nothing to it"),
        (in_a_tree(("STEP(32) STEP(16) STEP(8) STEP(4) STEP(2) STEP(1)", "")), "the part of one"),
    ],
    "round_to_tf32": [
        (lambda x: (x.view(np.uint32) & np.uint32(0xFFFFE000)).view(np.float32), "this cuts off"),
        (lambda x: np.float32(np.trunc(x * unit(x)) / unit(x)), "this cuts off"),
        (
            lambda x: ((x.view(np.uint32) + 4096) // 8192 * 8192).view(np.float32),
            "the one farther from 0",
        ),
        (lambda x: np.float32(np.rint(x * 2**10) / 2**10), "so the step grows with the number"),
        (lambda x: np.float32(np.float16(x)), "float16 keeps 10 bits too"),
        (lambda x: np.float32(np.rint(x * unit(x) / 2) / unit(x) * 2), "is not among the 10"),
        (lambda x: np.float32(np.rint(x * unit(x) * 2) / unit(x) / 2), "TF32 has 11 with it"),
        (lambda x: np.float32(np.rint(x * unit(x) * 8) / unit(x) / 8), "13 bits are dropped"),
    ],
    "clip_gradient": [
        (lambda g, limit: g * min(1.0, limit / max(1e-9, float(norm_of(g)))), "leave the norm"),
        (lambda g, limit: g if norm_of(g) <= limit else g * (limit / norm_of(g)), "`if` wants"),
        (lambda g, limit: g * (limit / np.maximum(np.linalg.norm(g), limit)), "np names"),
    ],
    "attended_row": [
        (
            lambda s: rows_of(s, array_namespace(s).arange(s.shape[2], dtype=s.dtype)),
            "say device=s.device",
        ),
        (
            lambda s: rows_of(s, array_namespace(s).arange(s.shape[2], device=s.device)),
            "say dtype=s.dtype",
        ),
    ],
    "sgd_step": [
        (
            lambda w, g, step, steps, base: w - np.float64(base) * g * (1 + math.cos(0)) / 2,
            "np.cos returns a np.float64",
        ),
        (
            lambda w, g, step, steps, base: w - (base / 2 * np.cos(np.pi * step / steps) + 1) * g,
            "np.cos returns a np.float64",
        ),
    ],
    "conv_floor": [
        (lambda **e: (floor(**e)[0] / 2, floor(**e)[1]), "a multiply-add is two operations"),
        (lambda **e: (floor(**e)[0], floor(**e)[1] / 4), "a float32 has 4 bytes"),
    ],
}
