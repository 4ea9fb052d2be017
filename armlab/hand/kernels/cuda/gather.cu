// The way back of a convolution, from the columns of columns.cu.
//
//     dx[n, c, y, x] = Σ dcolumns[n, c r s, i j]   over the r s, i j that looked there        (1)
//     dw[k, c r s]   = Σ_n dws[n, k, c r s]                                                   (2)
//
// with the products dcolumns[n] = wᵀ dy[n] and dws[n] = dy[n] columns[n]ᵀ, where db is one more
// weight of each k. Each pixel gathers what came from it, and each weight what every image says of
// it: so no two threads write to one place, and each sum has one order.
//
// A thread has one pixel of four channels next to each other, and finds once for all of them where
// taps looked from. It divides for the first tap alone: from one to the next it steps the i that
// looked at its pixel, and what the stride leaves over of it. Behind the threads of dx come those
// of dw and db, one for each number. dcolumns and dws are read once, dx, dw and db written once.

#include "window.cuh"

struct Step {
  long long whole, rest;  // of d by t: how i changes from a tap to the next
};

struct Gathered {
  long long threads;  // for dx, 0 where nobody asks for it
  long long weights;  // of dw and db together
  long long before;   // whether they have the images before these, to be added to
  Step down, along;
};

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
    for (long long n = 0; n < v.n; n++) sum += dws[n * g.weights + weight];  // (2)
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
        if (first + q < planes) sum[q] += tap[q * taps * pixels + along.i];  // (1)
    }
  }
#pragma unroll
  for (int q = 0; q < PLANES; q++)
    if (first + q < planes) dx[((first + q) * v.h + row) * v.w + column] = sum[q];
}
