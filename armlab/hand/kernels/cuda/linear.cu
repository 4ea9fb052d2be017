// A linear layer with a bias at each pixel: a 1×1 convolution with little to multiply, as in the
// bottleneck of SE, where there is one pixel, and in a head, where there are few classes.
//
//     y[n,k,p]  = b[k] + Σ_c w[k,c] x[n,c,p]                                                 (1)
//     dx[n,c,p] = Σ_k dy[n,k,p] w[k,c]                                                       (2)
//     dw[k,c]   = Σ_np dy[n,k,p] x[n,c,p],   db[k] = Σ_np dy[n,k,p]                          (3)
//
// Launched in tiles: apply (N K, C, P), apply_back (N, K, C P), and weigh with N P terms for each
// of K rows of C + 1 results, the last of which is the bias. Each result is written once. apply
// reads x K times and w N P times, apply_back dy C times and w N P times, weigh dy C + 1 times and
// x K times: all but once from the cache, and then it is the floor.

#include "tile.cuh"

extern "C" __global__ void apply(const real* x, const real* w, const real* b, real* y, Along v,
                                 long long k) {
  __shared__ real shared[THREADS];
  const Tile t = tile(v);  // a result is (n K + k) P + p
  const long long p = t.result - t.before * v.after, n = t.before / k, row = t.before % k;
  const real *image = x + n * v.count * v.after + p, *kernel = w + row * v.count;
  real part = 0;
  for (long long q = t.row; t.there && q < v.count; q += t.rows)
    part += kernel[q] * image[q * v.after];
  const real total = sum_of_rows(shared, t, part);
  if (t.there && t.row == 0) y[t.result] = total + b[row];  // (1)
}

extern "C" __global__ void apply_back(const real* dy, const real* w, real* dx, Along v, long long c,
                                      long long pixels) {
  __shared__ real shared[THREADS];
  const Tile t = tile(v);  // a result is (n C + c) P + p
  const long long at = t.result - t.before * v.after, column = at / pixels, p = at % pixels;
  const real* image = dy + t.before * v.count * pixels + p;
  real part = 0;
  for (long long q = t.row; t.there && q < v.count; q += t.rows)
    part += image[q * pixels] * w[q * c + column];
  const real total = sum_of_rows(shared, t, part);
  if (t.there && t.row == 0) dx[t.result] = total;  // (2)
}

extern "C" __global__ void weigh(const real* dy, const real* x, real* dw, real* db, Along v,
                                 long long k, long long c, long long pixels) {
  __shared__ real shared[THREADS];
  const Tile t = tile(v);  // a result is k (C + 1) + c
  const long long row = t.result / (c + 1), column = t.result % (c + 1);
  const long long images = t.rows / pixels, further = t.rows % pixels;
  long long n = t.row / pixels, p = t.row % pixels;
  real part = 0;
  for (long long q = t.row; t.there && q < v.count; q += t.rows) {
    const real up = dy[(n * k + row) * pixels + p];
    part += column < c ? up * x[(n * c + column) * pixels + p] : up;
    n += images, p += further;
    if (p >= pixels) n++, p -= pixels;
  }
  const real total = sum_of_rows(shared, t, part);
  if (!t.there || t.row > 0) return;
  if (column < c) dw[row * c + column] = total;  // (3)
  else db[row] = total;
}
