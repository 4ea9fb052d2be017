"""Right CUDA kernels in which threads of a block tell each other something: see `programs.py`."""

from typing import Any

import numpy as np
from programs import Outcome, blocks, integers, program


@program(r"""
extern "C" __global__ void total(const float* x, float* sums, int n) {
  extern __shared__ float part[];
  int t = threadIdx.x, i = blockIdx.x * blockDim.x + t;
  part[t] = i < n ? x[i] : 0;
  __syncthreads();
  for (int half = blockDim.x / 2; half; half /= 2) {
    if (t < half) part[t] += part[t + half];
    __syncthreads();
  }
  if (t == 0) sums[blockIdx.x] = part[0];
}
""")
def total(
    cp: Any,
    kernel: Any,
    rng: np.random.Generator,
    n: int = 300,
    shared: int = 128 * 4,
    allowed: int = 0,
) -> Outcome:
    """Sums of 128 integers: exact."""
    x, on_device = integers(cp, rng, n)
    sums = cp.empty(blocks(n, 128), "float32")
    if allowed:
        kernel.max_dynamic_shared_size_bytes = allowed
    kernel(sums.shape, (128,), (on_device, sums, np.int32(n)), shared_mem=shared)
    want = np.pad(x, (0, -n % 128)).reshape(-1, 128).sum(axis=1)
    return Outcome("argument 2 (float* sums)", cp.asnumpy(sums), want)


@program(r"""
extern "C" __global__ void turn(const float* x, float* y) {
  __shared__ float tile[128];
  int t = threadIdx.x, begin = blockIdx.x * 128;
  tile[t] = x[begin + t];
  __syncthreads();
  y[begin + t] = tile[127 - t];
}
""")
def turn(cp: Any, kernel: Any, rng: np.random.Generator, n: int = 300) -> Outcome:
    """Each block of 128 is turned round: numbers are moved."""
    x = rng.standard_normal((blocks(n, 128)[0], 128)).astype("float32")
    y = cp.empty(x.shape, "float32")
    kernel(x.shape[:1], (128,), (cp.asarray(x), y))
    return Outcome("argument 2 (float* y)", cp.asnumpy(y), x[:, ::-1])


@program(r"""
extern "C" __global__ void norm(const double* x, double* y, int n) {
  double sum = 0;
  for (int i = threadIdx.x; i < n; i += 32) sum += x[i] * x[i];
  for (int by = 16; by; by /= 2) sum += __shfl_down_sync(0xffffffff, sum, by);
  if (threadIdx.x == 0) y[0] = sum;
}
""")
def norm(cp: Any, kernel: Any, rng: np.random.Generator, n: int = 300) -> Outcome:
    """A sum of n squares in any order, fused or not: off by at most (n + 1) u Σ x²."""
    x = rng.standard_normal(n)
    y = cp.empty(1)
    kernel((1,), (32,), (cp.asarray(x), y, np.int32(n)))
    want = np.sum(x.astype(np.longdouble) ** 2, keepdims=True)  # whose u is 2⁻⁶⁴
    return Outcome("argument 2 (double* y)", cp.asnumpy(y), want, (n + 1) * 2.0**-53 * want[0])


@program(r"""
extern "C" __global__ void by_warps(const float* x, float* y, int n) {
  __shared__ float part[4];
  int t = threadIdx.x, lane = t % 32;
  float sum = 0;
  for (int i = t; i < n; i += 128) sum += x[i];
  for (int by = 16; by; by /= 2) sum += __shfl_xor_sync(0xffffffff, sum, by);
  if (lane == 0) part[t / 32] = sum;
  __syncthreads();
  if (t == 0) y[0] = part[0] + part[1] + part[2] + part[3];
}
""")
def by_warps(cp: Any, kernel: Any, rng: np.random.Generator, n: int = 300) -> Outcome:
    """Each warp sums alone, and then one thread sums over warps: integers, exact."""
    x, on_device = integers(cp, rng, n)
    y = cp.empty(1, "float32")
    kernel((1,), (128,), (on_device, y, np.int32(n)))
    return Outcome("argument 2 (float* y)", cp.asnumpy(y), x.sum(keepdims=True))


@program(r"""
extern "C" __global__ void neighbour(const float* x, float* y) {
  __shared__ float seen[64];
  int t = threadIdx.x;
  seen[t] = x[t];
  __syncwarp();
  y[t] = seen[t ^ 1];
}
""")
def neighbour(cp: Any, kernel: Any, rng: np.random.Generator, n: int = 64) -> Outcome:
    """Neighbours of one warp swap numbers."""
    x = rng.standard_normal(64).astype("float32")
    y = cp.empty(64, "float32")
    kernel((1,), (64,), (cp.asarray(x), y))
    return Outcome("argument 2 (float* y)", cp.asnumpy(y), x.reshape(32, 2)[:, ::-1].reshape(64))


@program(r"""
extern "C" __global__ void centred(const float* x, float* sums, float* y, int begin, int end) {
  int b = blockIdx.x, t = threadIdx.x;
  for (int step = begin; step < end; step++) {
    if (step == 0 && t == 0) {
      sums[b] = 0;
      for (int k = 0; k < 32; k++) sums[b] += x[b * 32 + k];
    }
    if (step == 1) {
      float all = 0;
      for (int k = 0; k < gridDim.x; k++) all += sums[k];
      y[b * 32 + t] = x[b * 32 + t] - all;
    }
  }
}
""")
def centred(
    cp: Any,
    kernel: Any,
    rng: np.random.Generator,
    n: int = 300,
    launches: tuple[tuple[int, int], ...] = ((0, 1), (1, 2)),
) -> Outcome:
    """Blocks meet between two launches and nowhere else: integers, exact."""
    count = blocks(n, 32)
    x, on_device = integers(cp, rng, *count, 32)
    sums, y = cp.empty(count, "float32"), cp.empty(x.shape, "float32")
    for begin, end in launches:
        kernel(count, (32,), (on_device, sums, y, np.int32(begin), np.int32(end)))
    return Outcome("argument 3 (float* y)", cp.asnumpy(y), x - x.sum())
