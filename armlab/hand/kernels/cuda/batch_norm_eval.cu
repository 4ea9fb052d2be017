// Batch normalisation by statistics that are kept: evaluation mode.
//
//     r  = 1 / sqrt(var + eps)                                         (1)
//     y  = w (x - mean) r + b                                          (2)
//     dx = w r dy                                                      (3)
//     dw = Σ dy (x - mean) r                                           (4)
//     db = Σ dy                                                        (5)
//
// normalise and differentiate have a block of 256 threads for a slice of a channel. differentiate
// writes dx, and (4) and (5) of its slice, which add_up adds up, a block for each channel; where a
// channel is one slice they are its own. Forward x is read once and y written once, backward x and
// dy are read once and dx is written once, which is the floor.

#include "slices.cuh"

extern "C" __global__ void normalise(const real* x, const real* w, const real* b, const real* mean,
                                     const real* var, real eps, real* y, Shape s) {
  const long long c = blockIdx.x / s.slices;
  const real centre = mean[c], r = 1 / sqrt(var[c] + eps), wc = w[c], bc = b[c];  // (1)
  for (Walk walk(s); walk.left > 0; walk.next(s)) {
    const long long at = walk.at(s);
    y[at] = wc * (x[at] - centre) * r + bc;  // (2)
  }
}

extern "C" __global__ void differentiate(const real* dy, const real* x, const real* w,
                                         const real* mean, const real* var, real eps,
                                         Sums* of_slice, real* dx, real* dw, real* db, Shape s) {
  const long long c = blockIdx.x / s.slices;
  const real centre = mean[c], r = 1 / sqrt(var[c] + eps), wc = w[c];  // (1)
  Sums mine = {0, 0};
  for (Walk walk(s); walk.left > 0; walk.next(s)) {
    const long long at = walk.at(s);
    const real d = dy[at];
    dx[at] = wc * r * d;  // (3)
    mine.a += d;
    mine.b += d * (x[at] - centre) * r;
  }
  const Sums sums = total(mine);
  if (threadIdx.x) return;
  of_slice[blockIdx.x] = sums;
  if (s.slices == 1) db[c] = sums.a, dw[c] = sums.b;
}

extern "C" __global__ void add_up(const Sums* of_slice, real* dw, real* db, long long slices) {
  const long long c = blockIdx.x, t = threadIdx.x;
  const Sums sums = total(t < slices ? of_slice[c * slices + t] : Sums{0, 0});  // (4) and (5)
  if (t == 0) db[c] = sums.a, dw[c] = sums.b;
}
