// Sigmoid gating from the logits, and its backward in one read.
//
//     s  = e / (1 + e),   e = exp(min(a, 40))                                                (1)
//     y  = x s                                                                               (2)
//     dx = dy s                                                                              (3)
//     da = s (1 - s) Σ dy x,   over the x that one s scales                                  (4)
//
// x is (before, count, after) and a is (before, after): (N C, H W, 1) with a gate per channel,
// (N, C, H W) per position, (N C H, W, 1) or (N C, H, W) per strip.
//
// Launched in tiles: a thread computes s once for the terms that it has. gate, whose terms blocks
// share, reads x and a and writes y; gate_back reads x, dy and a once, and writes dx and da. Both
// are the floor. s is computed again on the way back, which costs less than to keep it. With a gate
// per element there is nothing to share: each and each_back have a thread for each element.

#include "tile.cuh"

__device__ real gate_of(real a) {
  const real e = exp(a > real(40) ? real(40) : a);  // a NaN stays one
  return e / (1 + e);                               // (1)
}

extern "C" __global__ void gate(const real* __restrict__ x, const real* a, real* __restrict__ y,
                                Along v) {
  const Tile t = tile(v);
  const Terms of = terms(t, v);
  if (!of.count) return;
  const real s = gate_of(a[t.result]);
  x += of.at, y += of.at;
#pragma unroll 4
  for (int k = 0; k < of.count; k++, x += of.further, y += of.further) *y = *x * s;  // (2)
}

extern "C" __global__ void gate_back(const real* __restrict__ x, const real* a,
                                     const real* __restrict__ dy, real* __restrict__ dx, real* da,
                                     Along v) {
  __shared__ real shared[THREADS];
  const Tile t = tile(v);
  const real s = t.there ? gate_of(a[t.result]) : real(0);
  real part = 0;
  for (long long q = t.row; t.there && q < v.count; q += t.rows) {
    const long long at = t.first + q * v.after;
    part += dy[at] * x[at];
    dx[at] = dy[at] * s;  // (3)
  }
  const real ds = sum_of_rows(shared, t, part);
  if (t.there && t.row == 0) da[t.result] = ds * s * (1 - s);  // (4)
}

extern "C" __global__ void each(const real* x, const real* a, real* y, long long count) {
  const long long at = (long long)blockIdx.x * blockDim.x + threadIdx.x;
  if (at < count) y[at] = x[at] * gate_of(a[at]);  // (2)
}

extern "C" __global__ void each_back(const real* x, const real* a, const real* dy, real* dx,
                                     real* da, long long count) {
  const long long at = (long long)blockIdx.x * blockDim.x + threadIdx.x;
  if (at >= count) return;
  const real s = gate_of(a[at]), up = dy[at];
  da[at] = up * x[at] * s * (1 - s);  // (4), of one term
  dx[at] = up * s;                    // (3)
}
