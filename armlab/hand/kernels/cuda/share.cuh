// What blocks along y share, a thread taking several of it: the same work for each, and what they
// have in common done once. Where y is full, blocks go on along z.

// Which share is this block's
__device__ long long share() { return (long long)blockIdx.z * gridDim.y + blockIdx.y; }

// How many a thread has, of at most `most`, each `step` further, where so many are left from its
// first on
__device__ int how_many(long long left, int step, int most) {
  if (left >= most * step) return most;
  return left <= 0 ? 0 : step == 1 ? left : int(left + step - 1) / step;
}
