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
// One thread for an element of the result, which is written once. bilinear reads four pixels of x
// for it, bilinear_back about (2 OH / H) (2 OW / W) of dy where the map grows and up to four where
// it shrinks, and nearest a fourth of that: each pixel from memory once, and then from the cache.

struct Sizes {
  long long planes, h, w;  // of x, planes = N C
  long long oh, ow;        // of y
  long long aligned;       // whether corners are
};

struct Axis {
  long long size, out;  // H and OH, or W and OW
  bool aligned;
  __device__ long long unit() const { return !aligned ? 2 * out : out > 1 ? out - 1 : 1; }
};

// (1) or (2): u p_i
__device__ long long position(long long i, const Axis& v) {
  const long long p = v.aligned ? i * (v.size - 1) : (2 * i + 1) * v.size - v.out;
  const long long last = v.unit() * (v.size - 1);
  return p < 0 ? 0 : p > last ? last : p;
}

// (3)
__device__ real tent(long long i, long long h, const Axis& v) {
  const long long apart = position(i, v) - v.unit() * h;
  const long long left = v.unit() - (apart < 0 ? -apart : apart);
  return left > 0 ? real(left) / real(v.unit()) : real(0);
}

// The first i that may meet h: p_i > h - 1. An axis of one pixel has h = 0 alone.
__device__ long long first_of(long long h, const Axis& v) {
  if (h == 0) return 0;
  const long long i = v.aligned ? v.unit() * (h - 1) / (v.size - 1)
                                : (v.out * (2 * h - 1) - v.size) / (2 * v.size);
  return i > 0 ? i : 0;
}

// Whether i is not yet behind the last one that meets h: p_i < h + 1
__device__ bool meets(long long i, long long h, const Axis& v) {
  return i < v.out && position(i, v) < v.unit() * (h + 1);
}

extern "C" __global__ void bilinear(const real* x, real* y, Sizes v) {
  const long long at = (long long)blockIdx.x * blockDim.x + threadIdx.x;
  if (at >= v.planes * v.oh * v.ow) return;
  const long long j = at % v.ow, i = at / v.ow % v.oh;
  const real* from = x + at / v.ow / v.oh * v.h * v.w;
  const Axis rows = {v.h, v.oh, v.aligned != 0}, columns = {v.w, v.ow, v.aligned != 0};
  const long long down = position(i, rows), along = position(j, columns);
  const long long h = down / rows.unit(), w = along / columns.unit();
  const long long below = h + 1 < v.h ? h + 1 : h, right = w + 1 < v.w ? w + 1 : w;
  const real a = real(down % rows.unit()) / real(rows.unit());
  const real b = real(along % columns.unit()) / real(columns.unit());
  const real upper = (1 - b) * from[h * v.w + w] + b * from[h * v.w + right];
  const real lower = (1 - b) * from[below * v.w + w] + b * from[below * v.w + right];
  y[at] = (1 - a) * upper + a * lower;  // (4)
}

extern "C" __global__ void bilinear_back(const real* dy, real* dx, Sizes v) {
  const long long at = (long long)blockIdx.x * blockDim.x + threadIdx.x;
  if (at >= v.planes * v.h * v.w) return;
  const long long w = at % v.w, h = at / v.w % v.h;
  const real* from = dy + at / v.w / v.h * v.oh * v.ow;
  const Axis rows = {v.h, v.oh, v.aligned != 0}, columns = {v.w, v.ow, v.aligned != 0};
  const long long first = first_of(w, columns);
  real sum = 0;
  for (long long i = first_of(h, rows); meets(i, h, rows); i++) {
    const real a = tent(i, h, rows);
    for (long long j = first; a > 0 && meets(j, w, columns); j++) {
      const real b = tent(j, w, columns);
      if (b > 0) sum += a * b * from[i * v.ow + j];  // (5)
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
