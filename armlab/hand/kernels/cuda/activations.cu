// Activations, and what of dy they let through. A thread has one element.
//
//     relu        y = max(x, 0)                          dx = dy where y != 0, else 0
//     add_relu    y = max(x1 + x2, 0)                    dx1 = dx2 = that of relu
//     leaky_relu  y = max(x, slope x)                    dx = dy where y > 0, else slope dy
//     hard_swish  y = x min(max(x + 3, 0), 6) / 6        dx = dy (x / 3 + 1/2), between -3 and 3
//     sigmoid     s = e / (1 + e), e = exp(min(a, 40))   da = ds s (1 - s)
//
// Each array is read or written once, which is the floor. A comparison with NaN is false: the
// branches are such that a NaN goes where the specification lets it go.

__device__ long long element() { return (long long)blockIdx.x * blockDim.x + threadIdx.x; }

extern "C" __global__ void relu(const real* x, real* y, long long count) {
  const long long i = element();
  if (i < count) y[i] = x[i] < 0 ? real(0) : x[i];
}

extern "C" __global__ void add_relu(const real* x1, const real* x2, real* y, long long count) {
  const long long i = element();
  if (i >= count) return;
  const real sum = x1[i] + x2[i];
  y[i] = sum < 0 ? real(0) : sum;
}

extern "C" __global__ void relu_back(const real* y, const real* dy, real* dx, long long count) {
  const long long i = element();
  if (i < count) dx[i] = y[i] != 0 ? dy[i] : real(0);
}

extern "C" __global__ void leaky_relu(const real* x, real* y, real slope, long long count) {
  const long long i = element();
  if (i < count) y[i] = x[i] > 0 ? x[i] : slope * x[i];
}

extern "C" __global__ void leaky_relu_back(const real* y, const real* dy, real* dx, real slope,
                                           long long count) {
  const long long i = element();
  if (i < count) dx[i] = y[i] > 0 ? dy[i] : slope * dy[i];
}

extern "C" __global__ void hard_swish(const real* x, real* y, long long count) {
  const long long i = element();
  if (i >= count) return;
  const real up = x[i] + 3;
  y[i] = x[i] * ((up < 0 ? 0 : up > 6 ? 6 : up) / 6);
}

extern "C" __global__ void hard_swish_back(const real* x, const real* dy, real* dx,
                                           long long count) {
  const long long i = element();
  if (i >= count) return;
  const real slope = x[i] >= 3 ? real(1) : x[i] / 3 + real(0.5);
  dx[i] = x[i] <= -3 ? real(0) : dy[i] * slope;
}

extern "C" __global__ void sigmoid(const real* a, real* s, long long count) {
  const long long i = element();
  if (i >= count) return;
  const real e = exp(a[i] > 40 ? real(40) : a[i]);
  s[i] = e / (1 + e);
}

extern "C" __global__ void sigmoid_back(const real* s, const real* ds, real* da, long long count) {
  const long long i = element();
  if (i < count) da[i] = ds[i] * s[i] * (1 - s[i]);
}
