// The largest value along an axis, or over positions, with its place; and the way back.
//
//     y[b, a]     = max_q x[b, q, a],   q* the first of equals, or the first NaN             (1)
//     dx[b, q, a] = dy[b, a] where q is q*, else 0                                           (2)
//
// With (before, count, after) as (N C, H W, 1) these are (1) and (2) of global_max_pool, as
// (N, C, H W) those of channel_max.
//
// Launched in tiles. largest reads x once, and writes y and q*. only_the_first, whose terms blocks
// share, reads dy and q* once for the terms that a thread has, from the cache but for the first
// time, and writes dx. Bytes are the floor, and 8 for each q* written and read.

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
  const Tile t = tile(v);
  const Terms of = terms(t, v);
  if (!of.count) return;
  const real up = dy[t.result];
  long long left = winner[t.result] - of.q;  // 0 where q is q*
  dx += of.at;
  for (int k = 0; k < of.count; k++, left -= t.rows, dx += of.further)
    *dx = left == 0 ? up : real(0);  // (2)
}
