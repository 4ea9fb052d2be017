// The channels of an array in slices, a block of threads for each: where a thread finds its values.

#include "sums.cuh"

// As `slices.Cut` fills it in
struct Shape {
  long long n, c, p;           // x is (n, c, p), with m = n p values of a channel
  long long slices, length;    // of a channel: at most THREADS of them, the last may be shorter
  long long stride, off, gap;  // for Walk::next
};

// The values of this block's slice that are this thread's: every 256th, so that reads coalesce.
// Divisions find the first one; from there on a step is sums and a comparison.
struct Walk {
  long long channel, slice;  // of this block
  long long left, pixel;     // values up to the end of the slice; of those of one image, which
  long long at;              // of all of x, which
  __device__ Walk(const Shape& s) : channel(blockIdx.x / s.slices), slice(blockIdx.x % s.slices) {
    const long long begin = slice * s.length, first = begin + threadIdx.x, image = first / s.p;
    left = min(begin + s.length, s.n * s.p) - first;
    pixel = first - image * s.p;
    at = (image * s.c + channel) * s.p + pixel;
  }
  __device__ void next(const Shape& s) {
    left -= THREADS;
    pixel += s.off;  // THREADS % p
    at += s.stride;  // c p for each image among THREADS values, and off
    if (pixel >= s.p) pixel -= s.p, at += s.gap;  // the other channels lie between two images
  }
};

// How many values a slice has
__device__ real size(const Shape& s, long long slice) {
  return max(min(s.length, s.n * s.p - slice * s.length), 1LL);  // 1 for an empty batch
}
