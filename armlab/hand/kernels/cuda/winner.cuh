// The largest of the terms of a tile, with its place: the first of equals, or the first NaN.
// Candidates are compared by value and place, so that the winner is the same in whatever order
// they meet.

// Whether x at place q comes before y at place r; a place of -1 is no candidate.
__device__ bool wins(real x, long long q, real y, long long r) {
  if (q < 0 || r < 0) return q >= 0;
  const bool x_nan = x != x, y_nan = y != y;
  if (x_nan != y_nan) return x_nan;
  return x_nan || x == y ? q < r : x > y;
}

// A candidate meets the best one so far.
__device__ void meet(real& best, long long& place, real other, long long at) {
  if (wins(other, at, best, place)) best = other, place = at;
}

// The winner of what the rows have, to row 0. All threads of the block have to call it.
__device__ void winner_of_rows(real* values, long long* places, const Tile& t, real& best,
                               long long& place) {
  const int mine = t.row * t.lanes + t.lane;
  values[mine] = best, places[mine] = place;
  for (int half = t.rows / 2; half > 0; half /= 2) {
    __syncthreads();
    const int other = mine + half * t.lanes;
    if (t.row < half) meet(values[mine], places[mine], values[other], places[other]);
  }
  best = values[mine], place = places[mine];
}
