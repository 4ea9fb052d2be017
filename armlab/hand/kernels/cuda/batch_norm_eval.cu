// Batch normalisation by statistics that are kept, and its activation: evaluation mode.
//
//     r  = 1 / sqrt(var + eps)                                         (1)
//     y  = act(v),   v = w x̂ + b,   x̂ = (x - mean) r                   (2)
//     dx = w r dv                                                      (3)
//     dw = Σ dv x̂                                                      (4)
//     db = Σ dv                                                        (5)
//
// act and dv are those of channel.cuh.
//
// normalise and differentiate have a block of 256 threads for a slice of a channel. differentiate
// writes dx, and (4) and (5) of its slice, which add_up adds up, a block for each channel; where a
// channel is one slice they are its own. Forward x is read once and y written once, backward x and
// dy are read once and dx is written once, which is the floor.

#include "channel.cuh"

extern "C" __global__ void normalise(const real* x, const real* w, const real* b, const real* mean,
                                     const real* var, real eps, real slope, real* y, Shape s) {
  const Walk start(s);
  const long long i = start.channel;
  const Channel c = {mean[i], 1 / sqrt(var[i] + eps), w[i], b[i]};  // (1)
  for (Walk walk = start; walk.left > 0; walk.next(s))
    y[walk.at] = activated(c.v(c.xhat(x[walk.at])), slope);  // (2)
}

extern "C" __global__ void differentiate(const real* dy, const real* x, const real* w,
                                         const real* b, const real* mean, const real* var, real eps,
                                         real slope, Sums* of_slice, real* dx, real* dw, real* db,
                                         Shape s) {
  const Walk start(s);
  const long long i = start.channel;
  const Channel c = {mean[i], 1 / sqrt(var[i] + eps), w[i], b[i]};  // (1)
  const real scale = c.w * c.r;
  Sums mine = {0, 0};
  for (Walk walk = start; walk.left > 0; walk.next(s)) {
    const real xhat = c.xhat(x[walk.at]), dv = passed(dy[walk.at], c.v(xhat), slope);
    dx[walk.at] = scale * dv;  // (3)
    mine.a += dv;
    mine.b += dv * xhat;
  }
  const Sums sums = total(mine);
  if (threadIdx.x) return;
  if (s.slices == 1) db[i] = sums.a, dw[i] = sums.b;
  else of_slice[blockIdx.x] = sums;
}

extern "C" __global__ void add_up(const Sums* of_slice, real* dw, real* db, long long slices) {
  const long long c = blockIdx.x, t = threadIdx.x;
  const Sums sums = total(t < slices ? of_slice[c * slices + t] : Sums{0, 0});  // (4) and (5)
  if (t == 0) db[c] = sums.a, dw[c] = sums.b;
}
