// Positions of planes: what follows from a position, a thread computes once for several planes.
//
// An array is so many planes, N C of them, of so many positions each. A block is blockDim.x
// positions wide and blockDim.y planes high, so that neighbours in it are neighbours in memory, and
// the planes of a thread are blockDim.y apart. Nothing is divided to find them: the grid has the
// positions along x and groups of planes along y.

#include "share.cuh"

const int PLANES = 32 / sizeof(real);  // of a thread: their sums stay in registers

struct Spot {
  long long position;  // the same in each plane
  long long plane;     // the first
  int step, planes;    // from one plane to the next, and how many there are: none beyond the end
};

// `most` is how many planes a thread has, but where they end.
template <int most = PLANES>
__device__ Spot spot(long long positions, long long planes) {
  const long long position = (long long)blockIdx.x * blockDim.x + threadIdx.x;
  const int step = blockDim.y;
  const long long plane = share() * (most * step) + threadIdx.y;
  const long long left = position < positions ? planes - plane : 0;
  return {position, plane, step, how_many(left, step, most)};
}
