// Batch normalisation in training mode: the statistics of a batch, y, and the way back.
//
//     mean = Σ x / m                                                   (1)
//     var  = Σ (x - mean)² / m                                         (2)
//     r    = 1 / sqrt(var + eps)                                       (3)
//     y    = w x̂ + b,   x̂ = (x - mean) r                               (4)
//     dx   = w r (dy - db / m - x̂ dw / m),   db = Σ dy,  dw = Σ dy x̂   (5)
//
// A block of 256 threads for a slice of a channel. statistics and gradients write the sums of each
// slice; in normalise and differentiate each block adds up those of its channel, a thread for each
// slice, and goes on with its own. So no block waits for another, and each sum has one order: a
// thread's values one after the other, then a tree of threads, then a tree of slices. (2) is taken
// about the mean of each slice, mean_s, as it came out rounded, so that nothing cancels:
//
//     (x - mean)² = (x - mean_s)² + 2 (mean_s - mean) (x - mean_s) + (mean_s - mean)²   (6)
//
// A channel of one slice needs no first kernel: its block sums by itself.
//
// Forward x is read twice (in statistics once more, from the cache) and y written once: 3 / 2 of
// the floor. Backward x and dy are read twice and dx is written once: 5 / 3. Of one slice, what is
// read again comes from the cache, and both are the floor.

#include "slices.cuh"

struct Moments {
  real sum, off, square;  // Σ x, Σ (x - mean_s) and Σ (x - mean_s)² of a slice s
};

// Of this block's slice
__device__ Moments moments(const real* x, const Shape& s) {
  Sums mine = {0, 0}, about = {0, 0};
  for (Walk walk(s); walk.left > 0; walk.next(s)) mine.a += x[walk.at(s)];
  const real sum = total(mine).a, mean = sum / size(s, blockIdx.x % s.slices);
  for (Walk walk(s); walk.left > 0; walk.next(s)) {
    const real centred = x[walk.at(s)] - mean;
    about.a += centred;
    about.b += centred * centred;
  }
  about = total(about);
  return {sum, about.a, about.b};
}

// Of this block's channel: mean (1) and var (2)
__device__ Sums statistics_of_channel(const real* x, const Moments* of_slice, const Shape& s) {
  const long long first = blockIdx.x / s.slices * s.slices, t = threadIdx.x;
  const real m = max(s.n * s.p, 1LL);
  if (s.slices == 1) {
    const Moments found = moments(x, s);
    return {found.sum / m, found.square / m};
  }
  const Moments mine = t < s.slices ? of_slice[first + t] : Moments{0, 0, 0};
  const real mean = total({mine.sum, 0}).a / m, many = t < s.slices ? size(s, t) : 0;
  const real apart = t < s.slices ? mine.sum / many - mean : 0;
  return {mean, total({0, mine.square + apart * (2 * mine.off + many * apart)}).b / m};  // (6)
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

extern "C" __global__ void statistics(const real* x, Moments* of_slice, Shape s) {
  const Moments found = moments(x, s);
  if (threadIdx.x == 0) of_slice[blockIdx.x] = found;
}

extern "C" __global__ void normalise(const real* x, const real* w, const real* b, real eps,
                                     const Moments* of_slice, real* y, real* mean, real* var,
                                     Shape s) {
  const Sums found = statistics_of_channel(x, of_slice, s);
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
