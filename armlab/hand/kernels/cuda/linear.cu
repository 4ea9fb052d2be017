// A linear layer with a bias: a convolution of maps with one pixel, as in the bottleneck of SE.
//
//     y[n,k]  = b[k] + Σ_c w[k,c] x[n,c]                                                     (1)
//     dx[n,c] = Σ_k dy[n,k] w[k,c]                                                           (2)
//     dw[k,c] = Σ_n dy[n,k] x[n,c],   db[k] = Σ_n dy[n,k]                                    (3)
//
// There is little to multiply, N C K, and w is most of what is read. apply and apply_back are
// launched in tiles, (N K, C, 1) and (N, K, C); weigh has a thread for each element of dw and db.
// apply and apply_back read w N times, of which all but once from the cache, and weigh writes dw
// and db once: for one image that is the floor, for a few it is near.

#include "tile.cuh"

extern "C" __global__ void apply(const real* x, const real* w, const real* b, real* y, Along v,
                                 long long k) {
  __shared__ real shared[THREADS];
  const Tile t = tile(v);  // a result is n K + k
  const real *image = x + t.result / k * v.count, *kernel = w + t.result % k * v.count;
  real part = 0;
  for (long long q = t.row; t.there && q < v.count; q += t.rows) part += kernel[q] * image[q];
  const real total = sum_of_rows(shared, t, part);
  if (t.there && t.row == 0) y[t.result] = total + b[t.result % k];  // (1)
}

extern "C" __global__ void apply_back(const real* dy, const real* w, real* dx, Along v) {
  __shared__ real shared[THREADS];
  const Tile t = tile(v);  // a result is n C + c
  const long long n = t.result / v.after, c = t.result % v.after;
  real part = 0;
  for (long long q = t.row; t.there && q < v.count; q += t.rows)
    part += dy[n * v.count + q] * w[q * v.after + c];
  const real total = sum_of_rows(shared, t, part);
  if (t.there && t.row == 0) dx[t.result] = total;  // (2)
}

extern "C" __global__ void weigh(const real* dy, const real* x, real* dw, real* db, long long n,
                                 long long k, long long c) {
  const long long at = (long long)blockIdx.x * blockDim.x + threadIdx.x;
  if (at >= k * (c + 1)) return;
  const long long row = at / (c + 1), column = at % (c + 1);  // behind the last column is the bias
  real sum = 0;
  for (long long image = 0; image < n; image++) {
    const real up = dy[image * k + row];
    sum += column < c ? up * x[image * c + column] : up;  // (3)
  }
  if (column < c) dw[row * c + column] = sum;
  else db[row] = sum;
}
