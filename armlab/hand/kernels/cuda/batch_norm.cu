// Batch normalisation in training mode: the statistics of a batch, y, and the way back.
//
//     mean = Σ x / m                                                   (1)
//     var  = Σ (x - mean)² / m                                         (2)
//     r    = 1 / sqrt(var + eps)                                       (3)
//     y    = w x̂ + b,   x̂ = (x - mean) r                               (4)
//     dx   = w r (dy - db / m - x̂ dw / m),   db = Σ dy,  dw = Σ dy x̂   (5)
//
// A block of 256 threads for a slice of a channel. statistics and gradients write two sums of each
// slice; in normalise and differentiate each block adds up those of its channel, a thread for each
// slice, and goes on with its own. So no block waits for another, and each sum has one order: a
// thread's values one after the other, then a tree of threads, then a tree of slices. (2) is the
// sum of squares about the mean of a slice, and what that mean is off: nothing cancels.
//
//     var = Σ_s (Σ_{x in s} (x - mean_s)² + m_s (mean_s - mean)²) / m  (6)
//
// A channel of one slice needs no first kernel: its block sums by itself.
//
// Forward x is read twice (in statistics once more, from the cache) and y written once: 3 / 2 of
// the floor. Backward x and dy are read twice and dx is written once: 5 / 3. Of one slice, what is
// read again comes from the cache, and both are the floor.

#include "slices.cuh"

// Of this block's slice: Σ x, and Σ (x - mean_s)²
__device__ Sums moments(const real* x, const Shape& s) {
  Sums mine = {0, 0};
  for (Walk walk(s); walk.left > 0; walk.next(s)) mine.a += x[walk.at(s)];
  const real sum = total(mine).a, mean = sum / size(s, blockIdx.x % s.slices);
  for (Walk walk(s); walk.left > 0; walk.next(s)) {
    const real centred = x[walk.at(s)] - mean;
    mine.b += centred * centred;
  }
  return {sum, total(mine).b};
}

// Of this block's channel: mean (1) and var (2)
__device__ Sums moments_of_channel(const real* x, const Sums* of_slice, const Shape& s) {
  const long long first = blockIdx.x / s.slices * s.slices, t = threadIdx.x;
  const real m = max(s.n * s.p, 1LL);
  if (s.slices == 1) {
    const Sums sums = moments(x, s);
    return {sums.a / m, sums.b / m};
  }
  const Sums mine = t < s.slices ? of_slice[first + t] : Sums{0, 0};
  const real mean = total(mine).a / m;
  const real off = t < s.slices ? mine.a / size(s, t) - mean : real(0);
  return {mean, total({0, mine.b + size(s, t) * off * off}).b / m};  // (6)
}

// Of this block's slice: Σ dy, and Σ dy x̂
__device__ Sums products(const real* dy, const real* x, real mean, real r, const Shape& s) {
  Sums mine = {0, 0};
  for (Walk walk(s); walk.left > 0; walk.next(s)) {
    const long long at = walk.at(s);
    mine.a += dy[at];
    mine.b += dy[at] * ((x[at] - mean) * r);
  }
  return total(mine);
}

extern "C" __global__ void statistics(const real* x, Sums* of_slice, Shape s) {
  const Sums sums = moments(x, s);
  if (threadIdx.x == 0) of_slice[blockIdx.x] = sums;
}

extern "C" __global__ void normalise(const real* x, const real* w, const real* b, real eps,
                                     const Sums* of_slice, real* y, real* mean, real* var,
                                     Shape s) {
  const Sums found = moments_of_channel(x, of_slice, s);
  const long long c = blockIdx.x / s.slices;
  const real r = 1 / sqrt(found.b + eps), wc = w[c], bc = b[c];  // (3)
  for (Walk walk(s); walk.left > 0; walk.next(s)) {
    const long long at = walk.at(s);
    y[at] = wc * (x[at] - found.a) * r + bc;  // (4)
  }
  if (threadIdx.x == 0 && blockIdx.x % s.slices == 0) mean[c] = found.a, var[c] = found.b;
}

extern "C" __global__ void gradients(const real* dy, const real* x, const real* mean,
                                     const real* var, real eps, Sums* of_slice, Shape s) {
  const long long c = blockIdx.x / s.slices;
  const Sums sums = products(dy, x, mean[c], 1 / sqrt(var[c] + eps), s);
  if (threadIdx.x == 0) of_slice[blockIdx.x] = sums;
}

extern "C" __global__ void differentiate(const real* dy, const real* x, const real* w,
                                         const real* mean, const real* var, real eps,
                                         const Sums* of_slice, real* dx, real* dw, real* db,
                                         Shape s) {
  const long long c = blockIdx.x / s.slices, t = threadIdx.x;
  const real r = 1 / sqrt(var[c] + eps), m = max(s.n * s.p, 1LL);  // (3)
  const Sums sums = s.slices == 1 ? products(dy, x, mean[c], r, s)
                                  : total(t < s.slices ? of_slice[c * s.slices + t] : Sums{0, 0});
  const real wc = w[c], centre = mean[c];
  for (Walk walk(s); walk.left > 0; walk.next(s)) {
    const long long at = walk.at(s);
    const real xhat = (x[at] - centre) * r;
    dx[at] = wc * r * (dy[at] - sums.a / m - xhat * sums.b / m);  // (5)
  }
  if (t == 0 && blockIdx.x % s.slices == 0) db[c] = sums.a, dw[c] = sums.b;
}
