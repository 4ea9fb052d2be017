// The channels of an array in slices, a block of threads for each: where a thread finds its values.

#include "sums.cuh"

struct Shape {
  long long n, c, p;         // x is (n, c, p), with m = n p values of a channel
  long long slices, length;  // of a channel: at most THREADS of them, the last may be shorter
};

// The values of this block's slice that are this thread's: every 256th, so that reads coalesce
struct Walk {
  long long channel, image, pixel, left;
  __device__ Walk(const Shape& s) {
    channel = blockIdx.x / s.slices;
    const long long begin = blockIdx.x % s.slices * s.length, first = begin + threadIdx.x;
    left = min(begin + s.length, s.n * s.p) - first;
    image = first / s.p;
    pixel = first % s.p;
  }
  __device__ long long at(const Shape& s) const { return (image * s.c + channel) * s.p + pixel; }
  __device__ void next(const Shape& s) {
    left -= THREADS;
    image += THREADS / s.p;
    pixel += THREADS % s.p;
    if (pixel >= s.p) image++, pixel -= s.p;
  }
};

// How many values a slice has
__device__ real size(const Shape& s, long long slice) {
  return max(min(s.length, s.n * s.p - slice * s.length), 1LL);  // 1 for an empty batch
}
