// What a convolution looks at, as columns of a matrix; and the way back.
//
//     columns[n, c r s, i j] = x[n, c, t i + d r - p, u j + e s - q],   0 outside of x        (1)
//     dx[n, c, y, x]         = Σ dcolumns[n, c r s, i j]   over the r s, i j that looked there  (2)
//     dw[k, c r s]           = Σ_n dws[n, k, c r s]                                           (3)
//
// With (1) the convolution is one product, y[n] = w columns[n]. Its backward is two more,
// dcolumns[n] = wᵀ dy[n] and dws[n] = dy[n] columns[n]ᵀ, and what gathers them: each pixel what
// came from it (2), each weight what every image says of it (3). So no two threads write to one
// place, and each sum has one order.
//
// A bias rides with the weights: behind the taps of a group stands a row of ones, and behind the
// weights of a channel its bias, so that the same products give y with b, and db as one more
// weight. That makes another matrix of w, and so do groups, which need it once for each image: the
// threads behind those of columns lay it out.
//
// A thread has one position, of four channels next to each other: of columns an i j, of gather a
// pixel of dx. What is divided, and where a tap looks, is found once for all of them, and
// neighbours read and write next to each other. gather divides for the first tap alone: from one
// to the next it steps the i that looked at its pixel, and what the stride leaves over of it.
// Behind the threads of dx come those of dw and db, one for each number.
//
// columns writes its result and reads x R S times, of which all but once from the cache: R S + 1
// times the bytes of x, where the floor of a convolution is 1. gather reads dcolumns and dws once
// and writes dx, dw and db once.

const int PLANES = 4;  // of a thread; a plane is a channel of an image

struct Window {
  long long n, c, h, w;  // of x
  long long oh, ow;      // of y
  long long r, s;        // of the kernel
  long long t, u;        // stride
  long long p, q;        // padding
  long long d, e;        // dilation
  long long each, ones;  // channels of a group, and 1 where a row of ones follows their taps
};

struct Laid {
  long long numbers;  // of the matrix of w, as often as it is laid out; 0 where w itself will do
  long long weights;  // of w
  long long taps;     // of an output channel
  long long biased;   // 1 where its bias follows them
};

struct Step {
  long long whole, rest;  // of d by t: how i changes from a tap to the next
};

struct Gathered {
  long long threads;  // for dx, 0 where nobody asks for it
  long long weights;  // of dw and db together
  long long before;   // whether they have the images before these, to be added to
  Step down, along;
};

__device__ void lay_out(const real* w, const real* b, real* matrix, const Laid& v, long long at) {
  if (at >= v.numbers) return;
  const long long row = at / (v.taps + v.biased), tap = at % (v.taps + v.biased);
  const long long channel = row % (v.weights / v.taps);
  matrix[at] = tap < v.taps ? w[channel * v.taps + tap] : b[channel];
}

extern "C" __global__ void columns(const real* x, real* columns, const real* w, const real* b,
                                   real* matrix, Window v, Laid laid) {
  const long long at = (long long)blockIdx.x * blockDim.x + threadIdx.x;
  const long long pixels = v.oh * v.ow, taps = v.r * v.s, of_x = v.h * v.w, planes = v.n * v.c;
  const long long rest = at / v.ow, j = at % v.ow, i = rest % v.oh, first = rest / v.oh * PLANES;
  if (first >= planes) {
    lay_out(w, b, matrix, laid, at - (planes + PLANES - 1) / PLANES * pixels);
    return;
  }
  real* to[PLANES];
#pragma unroll
  for (int q = 0; q < PLANES; q++) {
    const long long group = v.ones ? (first + q) / v.each : 0;
    to[q] = columns + ((first + q) * taps + group) * pixels + i * v.ow + j;
  }
  const long long top = v.t * i - v.p, left = v.u * j - v.q;
  const real* from = x + (first * v.h + top) * v.w + left;  // what tap (0, 0) looks at
  for (long long r = 0; r < v.r; r++, from += v.d * v.w) {
    const bool within = top + v.d * r >= 0 && top + v.d * r < v.h;
#pragma unroll 1  // a compiler that unrolls both loops takes too many registers
    for (long long s = 0; s < v.s; s++) {
      const long long column = left + v.e * s;
      const bool inside = within && column >= 0 && column < v.w;
#pragma unroll
      for (int q = 0; q < PLANES; q++) {
        if (first + q < planes) *to[q] = inside ? from[q * of_x + v.e * s] : real(0);  // (1)
        to[q] += pixels;
      }
    }
  }
#pragma unroll
  for (int q = 0; q < PLANES; q++)
    if (v.ones && first + q < planes && (first + q) % v.each == v.each - 1) *to[q] = real(1);
}

// A place along an axis of dx, as the taps see it: this one looked at it from i, if rest is 0.
struct Looked {
  long long i, rest;
  __device__ Looked(long long place, long long stride) : i(place / stride), rest(place % stride) {}
  __device__ void next(const Step& step, long long stride) {
    i -= step.whole, rest -= step.rest;
    if (rest < 0) i--, rest += stride;
  }
};

extern "C" __global__ void gather(const real* dcolumns, const real* dws, real* dx, real* dw,
                                  real* db, Window v, Gathered g) {
  const long long at = (long long)blockIdx.x * blockDim.x + threadIdx.x;
  const long long weight = at - g.threads, pixels = v.oh * v.ow, taps = v.r * v.s;
  if (weight >= g.weights) return;
  if (weight >= 0) {
    const long long row = v.each * taps + v.ones, k = weight / row, tap = weight % row;
    real* to = tap < v.each * taps ? dw + k * v.each * taps + tap : db + k;
    real sum = g.before ? *to : real(0);
    for (long long n = 0; n < v.n; n++) sum += dws[n * g.weights + weight];  // (3)
    *to = sum;
    return;
  }
  const long long rest = at / v.w, column = at % v.w, row = rest % v.h;
  const long long first = rest / v.h * PLANES, planes = v.n * v.c;
  const real* from = dcolumns + first * taps * pixels;
  const Looked left(column + v.q, v.u);
  Looked down(row + v.p, v.t);
  real sum[PLANES] = {};
  for (long long r = 0; r < v.r && down.i >= 0; r++, down.next(g.down, v.t)) {
    if (down.rest || down.i >= v.oh) continue;
    const real* tap = from + r * v.s * pixels + down.i * v.ow;
    Looked along = left;
#pragma unroll 1
    for (long long s = 0; s < v.s && along.i >= 0; s++, along.next(g.along, v.u), tap += pixels) {
      if (along.rest || along.i >= v.ow) continue;
#pragma unroll
      for (int q = 0; q < PLANES; q++)
        if (first + q < planes) sum[q] += tap[q * taps * pixels + along.i];  // (2)
    }
  }
#pragma unroll
  for (int q = 0; q < PLANES; q++)
    if (first + q < planes) dx[((first + q) * v.h + row) * v.w + column] = sum[q];
}
