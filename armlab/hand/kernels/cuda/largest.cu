// The largest value along an axis, or over positions, with its place; and the way back.
//
//     y[b, a]     = max_q x[b, q, a],   q* the first of equals, or the first NaN             (1)
//     dx[b, q, a] = dy[b, a] where q is q*, else 0                                           (2)
//
// With (before, count, after) as (N C, H W, 1) these are (1) and (2) of global_max_pool, as
// (N, C, H W) those of channel_max.
//
// largest is launched in tiles: it reads x once, and writes y and q*. only_the_first has a thread
// for each element of dx: it reads dy and q*, from the cache but for the first time, and writes dx.
// Bytes are the floor, and 8 for each q* written and read.

#include "tile.cuh"
#include "winner.cuh"

extern "C" __global__ void largest(const real* x, real* y, long long* winner, Along v) {
  __shared__ real values[THREADS];
  __shared__ long long places[THREADS];
  const Tile t = tile(v);
  real best = 0;
  long long place = -1;  // nobody so far
  for (long long q = t.row; t.there && q < v.count; q += t.rows)
    meet(best, place, x[t.first + q * v.after], q);
  winner_of_rows(values, places, t, best, place);
  if (t.there && t.row == 0) y[t.result] = best, winner[t.result] = place;  // (1)
}

extern "C" __global__ void only_the_first(const real* dy, const long long* winner, real* dx,
                                          Along v) {
  const long long at = (long long)blockIdx.x * blockDim.x + threadIdx.x;
  if (at >= v.before * v.count * v.after) return;
  const long long plane = at / v.after;  // at = (b count + q) after + a
  const long long result = plane / v.count * v.after + at % v.after;
  dx[at] = plane % v.count == winner[result] ? dy[result] : real(0);  // (2)
}
