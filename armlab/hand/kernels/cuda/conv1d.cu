// A small kernel along the channels, for ECA.
//
//     a[n,c]  = Σ_r w[r] z[n, c + r - (R - 1)/2],   0 beyond the channels                    (1)
//     dz[n,c] = Σ_r w[r] da[n, c - r + (R - 1)/2]                                            (2)
//     dw[r]   = Σ_{n,c} da[n,c] z[n, c + r - (R - 1)/2]                                      (3)
//
// slide is (1), and (2) with its taps in the other direction, a thread for each result; weigh is
// (3), launched in tiles, (R, N C, 1). slide reads z R times, but for the first time from the
// cache; weigh reads z and da R times. These are one number for each channel, so that launches
// count.

#include "tile.cuh"

extern "C" __global__ void slide(const real* z, const real* w, real* a, long long images,
                                 long long c, long long r, long long direction) {
  const long long at = (long long)blockIdx.x * blockDim.x + threadIdx.x;
  if (at >= images * c) return;
  const long long channel = at % c;
  real sum = 0;
  for (long long k = 0; k < r; k++) {
    const long long step = direction * (k - r / 2);
    if (channel + step < 0 || channel + step >= c) continue;
    sum += w[k] * z[at + step];  // (1, 2)
  }
  a[at] = sum;
}

extern "C" __global__ void weigh(const real* z, const real* da, real* dw, Along v, long long c) {
  __shared__ real shared[THREADS];
  const Tile t = tile(v);
  const long long step = t.result - v.before / 2, further = t.rows % c;
  long long channel = t.row % c;
  real part = 0;
  for (long long at = t.row; t.there && at < v.count; at += t.rows) {
    if (channel + step >= 0 && channel + step < c) part += da[at] * z[at + step];
    channel += further;
    if (channel >= c) channel -= c;
  }
  const real total = sum_of_rows(shared, t, part);
  if (t.there && t.row == 0) dw[t.result] = total;  // (3)
}
