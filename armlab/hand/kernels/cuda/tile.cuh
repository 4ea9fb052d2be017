// A tile: a block that takes one number, or several, from along an axis.
//
// An array is seen as (before, count, after), and perhaps as several images of it, one behind the
// other. Results are (before, after): each has all of `count`, of every image, as its terms. The
// threads of a block are `rows` for each of a few results; a row takes every rows-th term, and then
// the rows are put together by halves. So the order of a sum follows from the sizes alone.
// Neighbours in a block read neighbours in memory: terms where after is 1, else results.

#include "sums.cuh"

struct Along {
  long long images, before, count, after;
  long long rows;  // a power of two, at most THREADS
};

struct Tile {
  int row, rows, lane, lanes;
  long long result;  // of before × after
  long long first;   // where its terms begin; the next one is `after` further
  bool there;        // whether there is such a result
};

__device__ Tile tile(const Along& v) {
  const int rows = int(v.rows), lanes = THREADS / rows, t = threadIdx.x;
  const bool along = v.after == 1;
  const int row = along ? t % rows : t / lanes, lane = along ? t / rows : t % lanes;
  const long long result = (long long)blockIdx.x * lanes + lane;
  const long long first = result / v.after * v.count * v.after + result % v.after;
  return {row, rows, lane, lanes, result, first, result < v.before * v.after};
}

// The sum of what the rows have, for each of them. All threads of the block have to call it.
__device__ real sum_of_rows(real* shared, const Tile& t, real part) {
  return sum_of_rows(shared, t.row, t.rows, t.lane, t.lanes, part);
}
