// Two maps behind one another along the channels, and apart again; and strips along a side.
//
//     y   = [x1 ; x2]                                                                        (1)
//     dx1 = the first part of dy, dx2 the second                                          (2, 3)
//
// An image of x1 is a plane of `first` numbers, of x2 one of `second`, and of y both. Strips have
// such planes for each channel of an image, H numbers and W. A thread has one position of several
// images, and finds once which part it is in: read once and written once, the floor.

#include "planes.cuh"

struct Part {
  bool first;          // whether the position is in the first one
  long long at, size;  // where in the part it is, in the thread's first image, and an image's size
};

__device__ Part part(const Spot& at, long long first, long long second) {
  if (at.position < first) return {true, at.plane * first + at.position, first};
  return {false, at.plane * second + at.position - first, second};
}

extern "C" __global__ void concat(const real* x1, const real* x2, real* __restrict__ y,
                                  long long images, long long first, long long second) {
  const Spot at = spot(first + second, images);
  if (!at.planes) return;
  const Part of = part(at, first, second);
  const real* __restrict__ x = (of.first ? x1 : x2) + of.at;
  y += at.plane * (first + second) + at.position;
  for (int k = 0; k < at.planes; k++, x += at.step * of.size, y += at.step * (first + second))
    *y = *x;  // (1)
}

extern "C" __global__ void apart(const real* __restrict__ dy, real* dx1, real* dx2,
                                 long long images, long long first, long long second) {
  const Spot at = spot(first + second, images);
  if (!at.planes) return;
  const Part of = part(at, first, second);
  real* __restrict__ dx = (of.first ? dx1 : dx2) + of.at;
  dy += at.plane * (first + second) + at.position;
  for (int k = 0; k < at.planes; k++, dx += at.step * of.size, dy += at.step * (first + second))
    *dx = *dy;  // (2, 3)
}
