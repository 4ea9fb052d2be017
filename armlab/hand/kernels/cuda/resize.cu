// Resizing: each pixel of y gathers from x, and each pixel of dx from dy.
//
// Bilinear, with (OH, OW) the size of y, and for columns the same with w, j and OW:
//
//     2 OH p_i = (2 i + 1) H - OH, kept within 0 ... 2 OH (H - 1)                            (1)
//     A[i, h]  = max(0, 2 OH - |2 OH p_i - 2 OH h|) / (2 OH)                                 (2)
//     y[i, j]  = Σ_h Σ_w A[i, h] B[j, w] x[h, w]                                             (3)
//     dx[h, w] = Σ_i Σ_j A[i, h] B[j, w] dy[i, j]                                            (4)
//
// (1) is that of resize_bilinear times 2 OH: integers, so that a weight (2) is rounded once. Of a
// row of A at most two are not 0, of a column those i whose p_i lies within a pixel of h.
//
// Nearest:  y[i, j] = x[floor(i H / OH), floor(j W / OW)], and dx the sum of dy where it came from.
//
// One thread for an element of the result, which is written once. bilinear reads four pixels of x
// for it, bilinear_back about (2 OH / H) (2 OW / W) of dy where the map grows and up to four where
// it shrinks, and nearest a fourth of that: each pixel from memory once, and then from the cache.

struct Sizes {
  long long planes, h, w;  // of x, planes = N C
  long long oh, ow;        // of y
};

// (1): p_i in units of 1 / (2 out)
__device__ long long position(long long i, long long out, long long size) {
  const long long p = (2 * i + 1) * size - out, last = 2 * out * (size - 1);
  return p < 0 ? 0 : p > last ? last : p;
}

// (2)
__device__ real tent(long long i, long long h, long long out, long long size) {
  const long long apart = position(i, out, size) - 2 * out * h;
  const long long left = 2 * out - (apart < 0 ? -apart : apart);
  return left > 0 ? real(left) / real(2 * out) : real(0);
}

// The first i that may meet h: p_i > h - 1
__device__ long long first_of(long long h, long long out, long long size) {
  const long long i = (out * (2 * h - 1) - size) / (2 * size);
  return i > 0 ? i : 0;
}

// Whether i is not yet behind the last one that meets h: p_i < h + 1
__device__ bool meets(long long i, long long h, long long out, long long size) {
  return i < out && position(i, out, size) < 2 * out * (h + 1);
}

extern "C" __global__ void bilinear(const real* x, real* y, Sizes v) {
  const long long at = (long long)blockIdx.x * blockDim.x + threadIdx.x;
  if (at >= v.planes * v.oh * v.ow) return;
  const long long j = at % v.ow, i = at / v.ow % v.oh;
  const real* from = x + at / v.ow / v.oh * v.h * v.w;
  const long long down = position(i, v.oh, v.h), along = position(j, v.ow, v.w);
  const long long h = down / (2 * v.oh), w = along / (2 * v.ow);
  const long long below = h + 1 < v.h ? h + 1 : h, right = w + 1 < v.w ? w + 1 : w;
  const real a = real(down % (2 * v.oh)) / real(2 * v.oh);
  const real b = real(along % (2 * v.ow)) / real(2 * v.ow);
  const real upper = (1 - b) * from[h * v.w + w] + b * from[h * v.w + right];
  const real lower = (1 - b) * from[below * v.w + w] + b * from[below * v.w + right];
  y[at] = (1 - a) * upper + a * lower;  // (3)
}

extern "C" __global__ void bilinear_back(const real* dy, real* dx, Sizes v) {
  const long long at = (long long)blockIdx.x * blockDim.x + threadIdx.x;
  if (at >= v.planes * v.h * v.w) return;
  const long long w = at % v.w, h = at / v.w % v.h;
  const real* from = dy + at / v.w / v.h * v.oh * v.ow;
  const long long first = first_of(w, v.ow, v.w);
  real sum = 0;
  for (long long i = first_of(h, v.oh, v.h); meets(i, h, v.oh, v.h); i++) {
    const real a = tent(i, h, v.oh, v.h);
    for (long long j = first; a > 0 && meets(j, w, v.ow, v.w); j++) {
      const real b = tent(j, w, v.ow, v.w);
      if (b > 0) sum += a * b * from[i * v.ow + j];  // (4)
    }
  }
  dx[at] = sum;
}

extern "C" __global__ void nearest(const real* x, real* y, Sizes v) {
  const long long at = (long long)blockIdx.x * blockDim.x + threadIdx.x;
  if (at >= v.planes * v.oh * v.ow) return;
  const long long j = at % v.ow, i = at / v.ow % v.oh, plane = at / v.ow / v.oh;
  y[at] = x[(plane * v.h + i * v.h / v.oh) * v.w + j * v.w / v.ow];
}

extern "C" __global__ void nearest_back(const real* dy, real* dx, Sizes v) {
  const long long at = (long long)blockIdx.x * blockDim.x + threadIdx.x;
  if (at >= v.planes * v.h * v.w) return;
  const long long w = at % v.w, h = at / v.w % v.h;
  const real* from = dy + at / v.w / v.h * v.oh * v.ow;
  real sum = 0;  // over h <= i H / OH < h + 1, and the same for columns
  for (long long i = (h * v.oh + v.h - 1) / v.h; i * v.h < (h + 1) * v.oh; i++)
    for (long long j = (w * v.ow + v.w - 1) / v.w; j * v.w < (w + 1) * v.ow; j++)
      sum += from[i * v.ow + j];
  dx[at] = sum;
}
