// What training does to many arrays at once, in one launch for all of them: pack them into one
// buffer, step along their gradients with SGD or Adam, look whether they are finite.
//
// A table of the arrays travels with the launch, as an argument by value. In a buffer each array
// begins at a block of its own, and what is left of its last block is 0; so a block works for one
// array, which it finds in the table by halving. One thread for an element of the buffer.
//
// The equations are those of `armlab.training.optimisers`, operation by operation: a product is
// rounded before it is added, never fused, so that weights are bit for bit those of the array code.
//
// sgd reads weights, gradients and velocities and writes weights and velocities, 5 numbers each;
// adam reads 4 and writes 3; both are the floor, and nothing is overwritten: the arrays of the
// step before stay as they were. with_finite reads each value once.

struct Part {
  const real* values;
  long long size;
  int block;    // of the buffer, where it begins
  int decayed;  // by the weight decay
};

struct Parts {
  int count, first;  // the first block of this launch
  Part part[160];    // the blocks in their order
};

struct Sgd {
  real rate, momentum, decay;  // the rate with its minus
};

struct Adam {
  real rate, b1, rest1, b2, rest2, root, eps, decay;  // -rate / c1, 1 - b1, 1 - b2, sqrt(c2)
};

// A product that is not fused with a sum
__device__ real times(real a, real b) {
  return sizeof(real) == sizeof(float) ? __fmul_rn(a, b) : __dmul_rn(a, b);
}

// Which array this block of the buffer belongs to: the last one to begin at it or before
__device__ int part_of(const Parts& parts, int block) {
  int low = 0, high = parts.count - 1;
  while (low < high) {
    const int middle = (low + high + 1) / 2;
    if (parts.part[middle].block <= block) low = middle;
    else high = middle - 1;
  }
  return low;
}

// Where this thread is: in the buffer, and in its array
struct Place {
  long long in_buffer, in_part;
};
__device__ Place place(int block, const Part& part) {
  return {(long long)block * blockDim.x + threadIdx.x,
          (long long)(block - part.block) * blockDim.x + threadIdx.x};
}

// (1) of `armlab.training.optimisers`
__device__ real gradient(const Part& part, const Place& at, const real* w, real decay) {
  const real g = part.values[at.in_part];
  return part.decayed ? times(decay, w[at.in_buffer]) + g : g;
}

extern "C" __global__ void pack(real* buffer, Parts parts) {
  const int block = parts.first + blockIdx.x, i = part_of(parts, block);
  const Place at = place(block, parts.part[i]);
  const bool inside = at.in_part < parts.part[i].size;
  buffer[at.in_buffer] = inside ? parts.part[i].values[at.in_part] : real(0);
}

// velocity is null in the first step.
extern "C" __global__ void sgd(const real* w, const real* velocity, real* new_w, real* new_velocity,
                               Sgd rule, Parts parts) {
  const int block = parts.first + blockIdx.x, i = part_of(parts, block);
  const Place at = place(block, parts.part[i]);
  real v = 0, stepped = 0;
  if (at.in_part < parts.part[i].size) {
    const real g = gradient(parts.part[i], at, w, rule.decay);
    v = velocity ? times(rule.momentum, velocity[at.in_buffer]) + g : g;  // (2)
    stepped = times(rule.rate, v) + w[at.in_buffer];                      // (3)
  }
  new_velocity[at.in_buffer] = v;
  new_w[at.in_buffer] = stepped;
}

// mean and square are null in the first step.
extern "C" __global__ void adam(const real* w, const real* mean, const real* square, real* new_w,
                                real* new_mean, real* new_square, Adam rule, Parts parts) {
  const int block = parts.first + blockIdx.x, i = part_of(parts, block);
  const Place at = place(block, parts.part[i]);
  real m = 0, s = 0, stepped = 0;
  if (at.in_part < parts.part[i].size) {
    const real g = gradient(parts.part[i], at, w, rule.decay);
    m = times(rule.b1, mean ? mean[at.in_buffer] : 0) + times(rule.rest1, g);  // (2)
    s = times(times(rule.rest2, g), g);
    s = times(rule.b2, square ? square[at.in_buffer] : 0) + s;  // (3)
    const real length = sqrt(s) / rule.root + rule.eps;
    stepped = times(m / length, rule.rate) + w[at.in_buffer];  // (4)
  }
  new_mean[at.in_buffer] = m;
  new_square[at.in_buffer] = s;
  new_w[at.in_buffer] = stepped;
}

// found[0] is the loss, and found[at + b] is 0 where all that block b of this launch looked at, up
// to the block `end` of the buffer, is finite, else NaN.
extern "C" __global__ void with_finite(const real* loss, real* found, int at, int end,
                                       Parts parts) {
  int odd = 0;
  for (long long block = parts.first + blockIdx.x; block < end; block += gridDim.x) {
    const int i = part_of(parts, block);
    const long long here = place(block, parts.part[i]).in_part;
    if (here >= parts.part[i].size) continue;
    const real x = parts.part[i].values[here];
    odd += !(x - x == 0);
  }
  odd = __syncthreads_or(odd);
  if (threadIdx.x) return;
  found[at + blockIdx.x] = real(0) / real(odd ? 0 : 1);
  if (at == 1 && blockIdx.x == 0) found[0] = *loss;
}
