// Sigmoid gating from the logits, and its backward in one read.
//
//     s  = e / (1 + e),   e = exp(min(a, 40))                                                (1)
//     y  = x s                                                                               (2)
//     dx = dy s                                                                              (3)
//     da = s (1 - s) Σ dy x,   over the x that one s scales                                  (4)
//
// x is (before, count, after) and a is (before, after): (N C, H W, 1) with a gate per channel,
// (N, C, H W) per position, (1, 1, N C H W) per element, (N C H, W, 1) or (N C, H, W) per strip.
//
// gate has a thread for each element: it reads x and a, from the cache but for the first time, and
// writes y. gate_back is launched in tiles: it reads x, dy and a once, and writes dx and da. Both
// are the floor. s is computed again where it is needed, which costs less than to keep it.

#include "tile.cuh"

__device__ real gate_of(real a) {
  const real e = exp(a > real(40) ? real(40) : a);  // a NaN stays one
  return e / (1 + e);                               // (1)
}

extern "C" __global__ void gate(const real* x, const real* a, real* y, Along v) {
  const long long at = (long long)blockIdx.x * blockDim.x + threadIdx.x;
  if (at >= v.before * v.count * v.after) return;
  y[at] = x[at] * gate_of(a[at / v.after / v.count * v.after + at % v.after]);  // (2)
}

extern "C" __global__ void gate_back(const real* x, const real* a, const real* dy, real* dx,
                                     real* da, Along v) {
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
