// Two maps behind one another along the channels, and apart again; and strips along a side.
//
//     y   = [x1 ; x2]                                                                        (1)
//     dx1 = the first part of dy, dx2 the second                                          (2, 3)
//
// An image of x1 is a row of `first` numbers, of x2 one of `second`, and of y both. Strips have
// such rows for each channel of an image, H numbers and W. One thread for an element of y: read
// once and written once, the floor.

extern "C" __global__ void concat(const real* x1, const real* x2, real* y, long long images,
                                  long long first, long long second) {
  const long long at = (long long)blockIdx.x * blockDim.x + threadIdx.x;
  if (at >= images * (first + second)) return;
  const long long n = at / (first + second), k = at % (first + second);
  y[at] = k < first ? x1[n * first + k] : x2[n * second + k - first];  // (1)
}

extern "C" __global__ void apart(const real* dy, real* dx1, real* dx2, long long images,
                                 long long first, long long second) {
  const long long at = (long long)blockIdx.x * blockDim.x + threadIdx.x;
  if (at >= images * (first + second)) return;
  const long long n = at / (first + second), k = at % (first + second);
  if (k < first) dx1[n * first + k] = dy[at];  // (2)
  else dx2[n * second + k - first] = dy[at];   // (3)
}
