// Resizing: each pixel of y gathers from x, and each pixel of dx from dy.
//
// Bilinear, with (OH, OW) the size of y, and for columns the same with w, j and OW:
//
//     u p_i    = (2 i + 1) H - OH,   u = 2 OH, kept within 0 ... u (H - 1)                   (1)
//                i (H - 1),          u = OH - 1, where corners are aligned; 1 where OH = 1   (2)
//     A[i, h]  = max(0, u - |u p_i - u h|) / u                                               (3)
//     y[i, j]  = Σ_h Σ_w A[i, h] B[j, w] x[h, w]                                             (4)
//     dx[h, w] = Σ_i Σ_j A[i, h] B[j, w] dy[i, j]                                            (5)
//
// (1) and (2) are those of resize_bilinear times u: integers, so that a weight (3) is rounded once.
// Of a row of A at most two are not 0, of a column those i whose p_i lies within a pixel of h.
//
// Nearest:  y[i, j] = x[floor(i H / OH), floor(j W / OW)], and dx the sum of dy where it came from.
//
// A thread has one position of several planes, and finds its pixels and their weights once.
// bilinear reads four pixels of x for each y, bilinear_back about (2 OH / H) (2 OW / W) of dy for
// each dx where the map grows and up to four where it shrinks, and nearest a fourth of that: each
// pixel from memory once, and then from the cache. Each result is written once.

#include "planes.cuh"

struct Sizes {
  long long planes, h, w;  // of x, planes = N C
  long long oh, ow;        // of y
  long long aligned;       // whether corners are
};

struct Axis {
  long long size, out;  // H and OH, or W and OW
  bool aligned;
  __device__ long long unit() const { return !aligned ? 2 * out : out > 1 ? out - 1 : 1; }
  __device__ long long step() const { return aligned ? size - 1 : 2 * size; }

  // (1) or (2), u p_i, not yet kept within: the next one is a step further
  __device__ long long position(long long i) const {
    return i * step() + (aligned ? 0 : size - out);
  }
  __device__ long long kept(long long p) const { return min(max(p, 0LL), unit() * (size - 1)); }
};

// Pixel h, as those i see it that may meet it: h - 1 < p_i < h + 1
struct Tent {
  long long i, apart;  // apart = u p_i - u h, not yet kept within
  bool first, last;    // whether h is: there no p_i is kept further away than h

  __device__ Tent(long long h, const Axis& v) : i(0), first(h == 0), last(h == v.size - 1) {
    if (!first) i = max((v.unit() * (h - 1) - v.position(0)) / v.step(), 0LL);
    apart = v.position(i) - v.unit() * h;
  }
  __device__ bool meets(const Axis& v) const { return i < v.out && apart < v.unit(); }
  __device__ void next(const Axis& v) { i++, apart += v.step(); }
  __device__ real weight(const Axis& v) const {  // (3)
    const long long away = apart < 0 ? first ? 0 : -apart : last ? 0 : apart;
    return away < v.unit() ? real(v.unit() - away) / real(v.unit()) : real(0);
  }
};

extern "C" __global__ void bilinear(const real* __restrict__ x, real* __restrict__ y, Sizes v) {
  const Spot at = spot(v.oh * v.ow, v.planes);
  if (!at.planes) return;
  const Axis rows = {v.h, v.oh, v.aligned != 0}, columns = {v.w, v.ow, v.aligned != 0};
  const long long down = rows.kept(rows.position(at.position / v.ow));
  const long long along = columns.kept(columns.position(at.position % v.ow));
  const long long h = down / rows.unit(), w = along / columns.unit();
  const long long below = h + 1 < v.h ? v.w : 0, right = w + 1 < v.w ? 1 : 0;
  const real a = real(down - h * rows.unit()) / real(rows.unit());
  const real b = real(along - w * columns.unit()) / real(columns.unit());
  x += (at.plane * v.h + h) * v.w + w;
  y += at.plane * v.oh * v.ow + at.position;
#pragma unroll 2
  for (int k = 0; k < at.planes; k++) {
    const real upper = (1 - b) * x[0] + b * x[right];
    const real lower = (1 - b) * x[below] + b * x[below + right];
    *y = (1 - a) * upper + a * lower;  // (4)
    x += at.step * v.h * v.w, y += at.step * v.oh * v.ow;
  }
}

// Four blocks of it at once on a multiprocessor: so it has to do with 64 registers.
extern "C" __global__ void __launch_bounds__(256, 4)
    bilinear_back(const real* dy, real* dx, Sizes v) {
  const Spot at = spot(v.h * v.w, v.planes);
  if (!at.planes) return;
  const Axis rows = {v.h, v.oh, v.aligned != 0}, columns = {v.w, v.ow, v.aligned != 0};
  const Tent left(at.position % v.w, columns);
  dy += at.plane * v.oh * v.ow;
  real sum[PLANES] = {};
  for (Tent row(at.position / v.w, rows); row.meets(rows); row.next(rows)) {
    const real a = row.weight(rows);
    for (Tent column = left; a > 0 && column.meets(columns); column.next(columns)) {
      const real ab = a * column.weight(columns), *from = dy + row.i * v.ow + column.i;
      if (ab == 0) continue;  // the pixel is not looked at: it may be NaN
      for (int k = 0; k < PLANES; k++, from += at.step * v.oh * v.ow)
        if (k < at.planes) sum[k] += ab * from[0];  // (5)
    }
  }
  dx += at.plane * v.h * v.w + at.position;
  for (int k = 0; k < PLANES; k++, dx += at.step * v.h * v.w)
    if (k < at.planes) *dx = sum[k];
}

extern "C" __global__ void nearest(const real* __restrict__ x, real* __restrict__ y, Sizes v) {
  const Spot at = spot(v.oh * v.ow, v.planes);
  if (!at.planes) return;
  const long long h = at.position / v.ow * v.h / v.oh, w = at.position % v.ow * v.w / v.ow;
  x += (at.plane * v.h + h) * v.w + w;
  y += at.plane * v.oh * v.ow + at.position;
  for (int k = 0; k < at.planes; k++) {
    *y = *x;
    x += at.step * v.h * v.w, y += at.step * v.oh * v.ow;
  }
}

extern "C" __global__ void nearest_back(const real* dy, real* dx, Sizes v) {
  const Spot at = spot(v.h * v.w, v.planes);
  if (!at.planes) return;
  const long long h = at.position / v.w, w = at.position % v.w;
  const long long top = (h * v.oh + v.h - 1) / v.h, left = (w * v.ow + v.w - 1) / v.w;
  dy += at.plane * v.oh * v.ow;
  real sum[PLANES] = {};  // over h <= i H / OH < h + 1, and the same for columns
  for (long long i = top; i * v.h < (h + 1) * v.oh; i++)
    for (long long j = left; j * v.w < (w + 1) * v.ow; j++) {
      const real* from = dy + i * v.ow + j;
      for (int k = 0; k < PLANES; k++, from += at.step * v.oh * v.ow)
        if (k < at.planes) sum[k] += *from;
    }
  dx += at.plane * v.h * v.w + at.position;
  for (int k = 0; k < PLANES; k++, dx += at.step * v.h * v.w)
    if (k < at.planes) *dx = sum[k];
}
