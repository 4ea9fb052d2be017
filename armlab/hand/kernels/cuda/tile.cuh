// A tile: a block that takes one number, or several, from along an axis.
//
// An array is seen as (before, count, after), and perhaps as several images of it, one behind the
// other. Results are (before, after): each has all of `count`, of every image, as its terms. The
// threads of a block are `rows` for each of a few results, `lanes`; a row takes every rows-th term,
// and then the rows are put together by halves. So the order of a sum follows from the sizes alone.
// Neighbours in a block are neighbours along its x and in memory: terms where after is 1, which is
// known without a division, else results.
//
// Where terms are not put together, blocks along y share them: a thread has `terms`, and
// computes once what follows from the result.

#include "share.cuh"
#include "sums.cuh"

struct Along {
  long long images, before, count, after;
  long long terms;  // of a thread, where blocks share those of a result
};

struct Tile {
  int row, rows, lane, lanes;
  long long before;  // of a result
  long long result;  // of before × after
  long long first;   // where its terms begin; the next one is `after` further
  bool there;        // whether there is such a result
};

__device__ Tile tile(const Along& v) {
  const bool along = v.after == 1;
  const int row = along ? threadIdx.x : threadIdx.y, rows = along ? blockDim.x : blockDim.y;
  const int lane = along ? threadIdx.y : threadIdx.x, lanes = along ? blockDim.y : blockDim.x;
  const long long result = (long long)blockIdx.x * lanes + lane;
  const long long before = along ? result : result / v.after;
  const long long first = before * (v.count - 1) * v.after + result;
  return {row, rows, lane, lanes, before, result, first, result < v.before * v.after};
}

struct Terms {
  long long q, at;    // the first of `count` that a thread has, and where it lies
  int count;          // how many it has, each `rows` of `count` further
  long long further;  // and so far on
};

// Those of a thread, where blocks share them
__device__ Terms terms(const Tile& t, const Along& v) {
  const long long q = share() * (v.terms * t.rows) + t.row, left = t.there ? v.count - q : 0;
  return {q, t.first + q * v.after, how_many(left, t.rows, v.terms), t.rows * v.after};
}

// The sum of what the rows have, for each of them. All threads of the block have to call it.
__device__ real sum_of_rows(real* shared, const Tile& t, real part) {
  return sum_of_rows(shared, t.row, t.rows, t.lane, t.lanes, part);
}
