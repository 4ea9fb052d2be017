// Sums over the threads of a block, as a tree: rows are added up by halves. So a sum has one order,
// which follows from the sizes alone, and of n rows each term is rounded log2 n times.

const int THREADS = 256;  // of a block

struct Sums {
  real a, b;
};
__device__ Sums operator+(const Sums& x, const Sums& y) { return {x.a + y.a, x.b + y.b}; }

// The sum of what `rows` threads have, a power of two, for each of them; beside each other there
// are `lanes` such sums. All threads of the block have to call it.
template <typename T>
__device__ T sum_of_rows(T* shared, int row, int rows, int lane, int lanes, T part) {
  T* mine = shared + row * lanes + lane;
  __syncthreads();  // an earlier sum has been read
  *mine = part;
  for (int half = rows / 2; half > 0; half /= 2) {
    __syncthreads();
    if (row < half) *mine = *mine + mine[half * lanes];
  }
  __syncthreads();
  return shared[lane];
}

// Both sums over all threads of a block, to each of them
__device__ Sums total(Sums part) {
  __shared__ Sums shared[THREADS];
  return sum_of_rows(shared, threadIdx.x, THREADS, 0, 1, part);
}
