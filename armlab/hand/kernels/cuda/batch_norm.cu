// Batch normalisation in training mode: the statistics of a batch, y, the running statistics, and
// the way back.
//
//     mean = Σ x / m                                                   (1)
//     var  = Σ (x - mean)² / m                                         (2)
//     r    = 1 / sqrt(var + eps)                                       (3)
//     y    = act(v),   v = w x̂ + b,   x̂ = (x - mean) r                 (4)
//     dx   = w r (dv - db / m - x̂ dw / m),   db = Σ dv,  dw = Σ dv x̂   (5)
//     kept = (1 - momentum) kept + momentum mean,  likewise of var m / (m - 1)       (6)
//
// act and dv are those of channel.cuh.
//
// A block of 256 threads for a slice of a channel. statistics and gradients write the sums of each
// slice; in normalise and differentiate each block adds up those of its channel, a thread for each
// slice, and goes on with its own. So no block waits for another, and each sum has one order: a
// thread's values one after the other, then a tree of threads, then a tree of slices. (2) is taken
// about the mean of each slice, mean_s, as it came out rounded, so that nothing cancels:
//
//     (x - mean)² = (x - mean_s)² + 2 (mean_s - mean) (x - mean_s) + (mean_s - mean)²   (7)
//
// A channel of one slice needs no first kernel: its block sums by itself. (6) is of the block that
// writes mean and var, where a layer keeps them; what was kept before is not overwritten.
//
// Forward x is read twice (in statistics once more, from the cache) and y written once: 3 / 2 of
// the floor. Backward x and dy are read twice and dx is written once: 5 / 3. Of one slice, what is
// read again comes from the cache, and both are the floor.

#include "channel.cuh"

struct Moments {
  real sum, off, square;  // Σ x, Σ (x - mean_s) and Σ (x - mean_s)² of a slice s
};

// The running statistics (6), as they were and as they will be; null where nobody keeps any
struct Kept {
  const real *mean, *var;
  const long long* batches;
  real *new_mean, *new_var;
  long long* counted;
  real old, of_mean, of_var;  // the shares; that of var makes it unbiased
};

// Of this block's slice
__device__ Moments moments(const real* x, const Walk& start, const Shape& s) {
  Sums mine = {0, 0}, about = {0, 0};
  for (Walk walk = start; walk.left > 0; walk.next(s)) mine.a += x[walk.at];
  const real sum = total(mine).a, mean = sum / size(s, start.slice);
  for (Walk walk = start; walk.left > 0; walk.next(s)) {
    const real centred = x[walk.at] - mean;
    about.a += centred;
    about.b += centred * centred;
  }
  about = total(about);
  return {sum, about.a, about.b};
}

// Of this block's channel: mean (1) and var (2)
__device__ Sums statistics_of_channel(const real* x, const Moments* of_slice, const Walk& start,
                                      const Shape& s) {
  const long long t = threadIdx.x;
  const real m = max(s.n * s.p, 1LL);
  if (s.slices == 1) {
    const Moments found = moments(x, start, s);
    return {found.sum / m, found.square / m};
  }
  const Moments mine = t < s.slices ? of_slice[start.channel * s.slices + t] : Moments{0, 0, 0};
  const real mean = total({mine.sum, 0}).a / m, many = t < s.slices ? size(s, t) : 0;
  const real apart = t < s.slices ? mine.sum / many - mean : 0;
  return {mean, total({0, mine.square + apart * (2 * mine.off + many * apart)}).b / m};  // (7)
}

// Of this block's slice: Σ dv, and Σ dv x̂
__device__ Sums products(const real* dy, const real* x, const Channel& c, real slope,
                         const Walk& start, const Shape& s) {
  Sums mine = {0, 0};
  for (Walk walk = start; walk.left > 0; walk.next(s)) {
    const real xhat = c.xhat(x[walk.at]), dv = passed(dy[walk.at], c.v(xhat), slope);
    mine.a += dv;
    mine.b += dv * xhat;
  }
  return total(mine);
}

extern "C" __global__ void statistics(const real* x, Moments* of_slice, Shape s) {
  const Moments found = moments(x, Walk(s), s);
  if (threadIdx.x == 0) of_slice[blockIdx.x] = found;
}

extern "C" __global__ void normalise(const real* x, const real* w, const real* b, real eps,
                                     real slope, const Moments* of_slice, real* y, real* mean,
                                     real* var, Kept kept, Shape s) {
  const Walk start(s);
  const long long i = start.channel;
  const Sums found = statistics_of_channel(x, of_slice, start, s);
  const Channel c = {found.a, 1 / sqrt(found.b + eps), w[i], b[i]};  // (3)
  for (Walk walk = start; walk.left > 0; walk.next(s))
    y[walk.at] = activated(c.v(c.xhat(x[walk.at])), slope);  // (4)
  if (threadIdx.x || start.slice) return;
  mean[i] = found.a, var[i] = found.b;
  if (!kept.mean) return;
  kept.new_mean[i] = kept.old * kept.mean[i] + kept.of_mean * found.a;  // (6)
  kept.new_var[i] = kept.old * kept.var[i] + kept.of_var * found.b;
  if (i == 0) *kept.counted = *kept.batches + 1;
}

extern "C" __global__ void gradients(const real* dy, const real* x, const real* w, const real* b,
                                     const real* mean, const real* var, real eps, real slope,
                                     Sums* of_slice, Shape s) {
  const Walk start(s);
  const long long i = start.channel;
  const Channel c = {mean[i], 1 / sqrt(var[i] + eps), w[i], b[i]};  // (3)
  const Sums sums = products(dy, x, c, slope, start, s);
  if (threadIdx.x == 0) of_slice[blockIdx.x] = sums;
}

extern "C" __global__ void differentiate(const real* dy, const real* x, const real* w,
                                         const real* b, const real* mean, const real* var, real eps,
                                         real slope, const Sums* of_slice, real* dx, real* dw,
                                         real* db, Shape s) {
  const Walk start(s);
  const long long i = start.channel, t = threadIdx.x;
  const Channel c = {mean[i], 1 / sqrt(var[i] + eps), w[i], b[i]};  // (3)
  const Sums sums = s.slices == 1 ? products(dy, x, c, slope, start, s)
                                  : total(t < s.slices ? of_slice[i * s.slices + t] : Sums{0, 0});
  const real m = max(s.n * s.p, 1LL), scale = c.w * c.r;
  const real db_m = sums.a / m, dw_m = sums.b / m;  // once; x̂ (dw / m) rounds as often as x̂ dw / m
  for (Walk walk = start; walk.left > 0; walk.next(s)) {
    const real xhat = c.xhat(x[walk.at]), dv = passed(dy[walk.at], c.v(xhat), slope);
    dx[walk.at] = scale * (dv - db_m - xhat * dw_m);  // (5)
  }
  if (t == 0 && start.slice == 0) db[i] = sums.a, dw[i] = sums.b;
}
