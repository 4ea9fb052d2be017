// Work that blocks along y share, several pieces of it to a thread, so that what these have in
// common is found once. Where y is full, blocks go on along z.

// Which share is this block's
__device__ long long share() { return (long long)blockIdx.z * gridDim.y + blockIdx.y; }

// How many pieces a thread has, of at most `most`, one every `step` of the `left` from its first on
__device__ int how_many(long long left, int step, int most) {
  if (left >= most * step) return most;
  return left <= 0 ? 0 : step == 1 ? left : int(left + step - 1) / step;
}
