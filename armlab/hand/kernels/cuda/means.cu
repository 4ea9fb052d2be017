// Means along an axis, or over positions, and sums.
//
//     y[b, a] = Σ_q x[b, q, a] / divisor                                                     (1)
//
// over the images as well where there are several. With (before, count, after) as
//     (N C, H W, 1)                global_avg_pool, (1) there
//     (N, C, H W)                  channel_mean, (1) there
//     (N C H, W, 1), (N C, H, W)   strip_mean, (1) there
//     (C, H W, 1), images N        channel_sum, divisor 1; (C, slices, 1) of channel_sum.cu's
//
// Launched in tiles. Reads x once and writes y once: the floor.

#include "tile.cuh"

extern "C" __global__ void mean(const real* x, real* y, Along v, real divisor) {
  __shared__ real shared[THREADS];
  const Tile t = tile(v);
  const long long step = t.rows * v.after;
  const long long terms = (v.count - t.row + t.rows - 1) / t.rows;  // of an image, this thread's
  real part = 0;
  for (long long n = 0; t.there && n < v.images; n++) {
    const real* term = x + n * v.before * v.count * v.after + t.first + t.row * v.after;
    for (long long left = terms; left > 0; left--, term += step) part += *term;
  }
  const real total = sum_of_rows(shared, t, part);
  if (t.there && t.row == 0) y[t.result] = total / divisor;  // (1)
}
