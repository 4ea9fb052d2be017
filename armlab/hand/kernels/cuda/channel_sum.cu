// Sums over all values of a channel, in slices: the gradient of a bias on large maps.
//
//     part[c, s] = Σ x, over the slice s of channel c                                        (1)
//
// A block of 256 threads for a slice. What the slices of a channel have together is a mean of
// means.cu whose divisor is 1. Reads x once and writes a number for each slice: the floor but for
// these.

#include "slices.cuh"

extern "C" __global__ void sum_slices(const real* x, real* parts, Shape s) {
  __shared__ real shared[THREADS];
  real mine = 0;
  for (Walk walk(s); walk.left > 0; walk.next(s)) mine += x[walk.at];
  const real sum = sum_of_rows(shared, threadIdx.x, THREADS, 0, 1, mine);
  if (threadIdx.x == 0) parts[blockIdx.x] = sum;  // (1)
}
