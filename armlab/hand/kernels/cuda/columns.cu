// What a convolution looks at, as columns of a matrix; the way back is gather.cu.
//
//     columns[n, c r s, i j] = x[n, c, t i + d r - p, u j + e s - q],   0 outside of x        (1)
//
// With it the convolution is one product, y[n] = w columns[n].
//
// A bias rides with the weights: behind the taps of a group stands a row of ones, and behind the
// weights of a channel its bias, so that the same product gives y with b, and that of the backward
// gives db as one more weight. This makes another matrix of w, and so do groups, which need it once
// for each image: the threads behind those of columns lay it out.
//
// A thread has one position i j of four channels next to each other. What is divided, and where a
// tap looks, is found once for all of them, and neighbours read and write next to each other. x is
// read R S times, all but once from the cache, and columns are written: R S + 1 times the bytes of
// x, where the floor of a convolution is 1.

#include "window.cuh"

struct Laid {
  long long numbers;  // of the matrix of w, as often as it is laid out; 0 where w itself will do
  long long weights;  // of w
  long long taps;     // of an output channel
  long long biased;   // 1 where its bias follows them
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
