// Mean and maximum along an axis in one read, one behind the other; and both ways back in one.
//
//     mean[b, a] = Σ_q x[b, q, a] / count                                                    (1)
//     max[b, a]  = max_q x[b, q, a],   q* the first of equals, or the first NaN              (2)
//     dx[b, q, a] = dmean[b, a] / count + (dmax[b, a] where q is q*, else 0)                 (3)
//
// They are those of means.cu and largest.cu, to the last bit. m holds both, in turns of `turn`
// numbers: (before, count, after) is (N, C, H W) and turn is H W, so that m is (N, 2, H W); or
// (N C, H W, 1) with turn C, so that m is (N, 2 C). mean_at is 0 where the mean comes first,
// else 1.
//
// Launched in tiles. stack reads x once and writes m and q*, where the parts would read x twice.
// unstack, whose terms blocks share, reads m and q* once for the terms that a thread has, and
// writes dx. Bytes are the floor, and 8 for each q* written and read.

#include "tile.cuh"
#include "winner.cuh"

struct Turns {
  long long turn, mean_at;
};

__device__ long long place_in_m(long long result, long long part, const Turns& turns) {
  return (result / turns.turn * 2 + part) * turns.turn + result % turns.turn;
}

extern "C" __global__ void stack(const real* x, real* m, long long* winner, Along v, Turns turns) {
  __shared__ real shared[THREADS], values[THREADS];
  __shared__ long long places[THREADS];
  const Tile t = tile(v);
  real part = 0, best = 0;
  long long place = -1;  // nobody so far
  for (long long q = t.row; t.there && q < v.count; q += t.rows) {
    const real term = x[t.first + q * v.after];
    part += term;
    meet(best, place, term, q);
  }
  const real total = sum_of_rows(shared, t, part);
  winner_of_rows(values, places, t, best, place);
  if (!t.there || t.row > 0) return;
  m[place_in_m(t.result, turns.mean_at, turns)] = total / real(v.count);  // (1)
  m[place_in_m(t.result, 1 - turns.mean_at, turns)] = best;               // (2)
  winner[t.result] = place;
}

extern "C" __global__ void unstack(const real* dm, const long long* winner, real* dx, Along v,
                                   Turns turns) {
  const Tile t = tile(v);
  const Terms of = terms(t, v);
  if (!of.count) return;
  const real share = dm[place_in_m(t.result, turns.mean_at, turns)] / real(v.count);
  const real most = dm[place_in_m(t.result, 1 - turns.mean_at, turns)];
  long long left = winner[t.result] - of.q;  // 0 where q is q*
  dx += of.at;
  for (int k = 0; k < of.count; k++, left -= t.rows, dx += of.further)
    *dx = share + (left == 0 ? most : real(0));  // (3)
}
