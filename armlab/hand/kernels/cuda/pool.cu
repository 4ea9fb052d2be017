// Max pooling with the tap that won; and back, each pixel gathering from the windows it won.
//
//     y[n,c,i,j] = max_{r,s} x[n, c, t i + r - p, u j + s - q],  inside of x                 (1)
//     dx[n,c,h,w] = Σ dy[n,c,i,j]   over the windows in which this pixel was the winner      (2)
//
// The winner of a window is its first tap, row by row, that holds the maximum; a NaN wins over
// numbers, and the last NaN over others. No two threads write to one place, and the sum of (2) runs
// over the taps in their order.
//
// A thread has one position of several planes, and finds once which taps meet x there, or which
// windows hold the pixel: i goes down by one as r goes up by t, so that no tap is tried in vain.
// pool reads x, R S / (t u) times, but for the first time from the cache, and writes y and the
// winners, 4 bytes each; unpool reads dy and the winners as often, and writes dx. Next to the floor
// that is 4 bytes for each y, written and read.

#include "planes.cuh"

struct Windows {
  long long planes, h, w;  // of x, planes = N C
  long long oh, ow;        // of y
  long long r, s;          // of the kernel
  long long t, u;          // stride
  long long p, q;          // padding
};

extern "C" __global__ void pool(const real* x, real* y, int* winner, Windows v) {
  constexpr int planes = PLANES / 2;  // two results of each are kept
  const Spot at = spot<planes>(v.oh * v.ow, v.planes);
  if (!at.planes) return;
  const long long top = v.t * (at.position / v.ow) - v.p, left = v.u * (at.position % v.ow) - v.q;
  const long long rows = min(v.r, v.h - top), columns = min(v.s, v.w - left);
  x += (at.plane * v.h + top) * v.w + left;  // tap 0, which may lie outside
  real best[planes] = {};
  int won[planes];
  for (int k = 0; k < planes; k++) won[k] = -1;  // nobody so far
#pragma unroll 1
  for (long long r = max(-top, 0LL); r < rows; r++)
#pragma unroll 1
    for (long long s = max(-left, 0LL); s < columns; s++) {
      const real* pixel = x + r * v.w + s;
      for (int k = 0; k < planes; k++, pixel += at.step * v.h * v.w) {
        const real other = k < at.planes ? *pixel : real(0);
        if (won[k] < 0 || other > best[k] || other != other)
          best[k] = other, won[k] = int(r * v.s + s);  // (1)
      }
    }
  long long to = at.plane * v.oh * v.ow + at.position;
  for (int k = 0; k < planes; k++, to += at.step * v.oh * v.ow)
    if (k < at.planes) y[to] = best[k], winner[to] = won[k];
}

extern "C" __global__ void unpool(const real* dy, const int* winner, real* dx, Windows v) {
  const Spot at = spot(v.h * v.w, v.planes);
  if (!at.planes) return;
  const long long down = at.position / v.w + v.p, along = at.position % v.w + v.q;
  const long long lowest = min(down / v.t, v.oh - 1), rightmost = min(along / v.u, v.ow - 1);
  const long long first = at.plane * v.oh * v.ow, further = at.step * v.oh * v.ow;
  real sum[PLANES] = {};
  for (long long i = lowest, r = down - v.t * i; i >= 0 && r < v.r; i--, r += v.t)
    for (long long j = rightmost, s = along - v.u * j; j >= 0 && s < v.s; j--, s += v.u) {
      const int* who = winner + first + i * v.ow + j;
      const real* up = dy + first + i * v.ow + j;
      const int tap = int(r * v.s + s);
      int won[PLANES];
      for (int k = 0; k < PLANES; k++, who += further) won[k] = k < at.planes ? *who : -1;
      for (int k = 0; k < PLANES; k++, up += further)
        if (won[k] == tap) sum[k] += *up;  // (2)
    }
  real* to = dx + at.plane * v.h * v.w + at.position;
  for (int k = 0; k < PLANES; k++, to += at.step * v.h * v.w)
    if (k < at.planes) *to = sum[k];
}
