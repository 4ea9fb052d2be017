// SimAM's logits, by channel: the mean, the variance, the logits; and back.
//
//     d = x - Σ x / m                                                                        (1)
//     v = Σ d² / (m - 1)                                                                     (2)
//     q = 1 / (4 (v + λ))                                                                    (3)
//     a = d² q + 1/2                                                                      (4, 5)
//     dd = 2 q d (da - 4 Σ da d² q / (m - 1))                                                (6)
//     dx = dd - Σ dd / m                                                                     (7)
//
// with sums over the m positions of a channel of an image. Launched in tiles, (N C, H W, 1). A
// channel is read three times each way, the second and third time from the cache while it fits:
// then logits reads x and writes a, and logits_back reads x and da and writes dx, which is the
// floor. Σ x / m and q, one each for a channel, are kept for the way back.

#include "tile.cuh"

extern "C" __global__ void logits(const real* x, real* a, real* mean, real* q, Along v,
                                  real lambda) {
  __shared__ real shared[THREADS];
  const Tile t = tile(v);
  const real* of = x + t.first;
  const long long m = t.there ? v.count : 0;
  real part = 0, squares = 0;
  for (long long i = t.row; i < m; i += t.rows) part += of[i];
  const real middle = sum_of_rows(shared, t, part) / real(v.count);
  for (long long i = t.row; i < m; i += t.rows) {
    const real d = of[i] - middle;  // (1)
    squares += d * d;
  }
  const real variance = sum_of_rows(shared, t, squares) / real(v.count - 1);  // (2)
  const real share = 1 / (4 * (variance + lambda));                           // (3)
  for (long long i = t.row; i < m; i += t.rows) {
    const real d = of[i] - middle;
    a[t.first + i] = d * d * share + real(0.5);  // (4, 5)
  }
  if (t.there && t.row == 0) mean[t.result] = middle, q[t.result] = share;
}

extern "C" __global__ void logits_back(const real* x, const real* mean, const real* q,
                                       const real* da, real* dx, Along v) {
  __shared__ real shared[THREADS];
  const Tile t = tile(v);
  const real *of = x + t.first, *up = da + t.first;
  const long long m = t.there ? v.count : 0;
  const real middle = t.there ? mean[t.result] : real(0), share = t.there ? q[t.result] : real(0);
  real energies = 0, part = 0;
  for (long long i = t.row; i < m; i += t.rows) {
    const real d = of[i] - middle;
    energies += up[i] * (d * d * share);
  }
  const real level = 4 * sum_of_rows(shared, t, energies) / real(v.count - 1);
  for (long long i = t.row; i < m; i += t.rows)
    part += 2 * share * (of[i] - middle) * (up[i] - level);  // (6)
  const real average = sum_of_rows(shared, t, part) / real(v.count);
  for (long long i = t.row; i < m; i += t.rows)
    dx[t.first + i] = 2 * share * (of[i] - middle) * (up[i] - level) - average;  // (7)
}
