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
// One thread for an element of the result; behind those of dx come those of dw. columns writes its
// result and reads x R S times, of which all but once from the cache: R S + 1 times the bytes of x,
// where the floor of a convolution is 1. gather reads dcolumns and dws once and writes dx and dw
// once.

struct Window {
  long long n, c, h, w;  // of x
  long long oh, ow;      // of y
  long long r, s;        // of the kernel
  long long t, u;        // stride
  long long p, q;        // padding
  long long d, e;        // dilation
};

struct Gathered {
  long long pixels;   // of dx, 0 where nobody asks for it
  long long weights;  // of dw
  long long before;   // whether dw has the images before these, to be added to
};

extern "C" __global__ void columns(const real* x, real* columns, Window v) {
  const long long at = (long long)blockIdx.x * blockDim.x + threadIdx.x;
  if (at >= v.n * v.c * v.r * v.s * v.oh * v.ow) return;
  long long rest = at;  // at = ((((n C + c) R + r) S + s) OH + i) OW + j
  const long long j = rest % v.ow;
  rest /= v.ow;
  const long long i = rest % v.oh;
  rest /= v.oh;
  const long long s = rest % v.s;
  rest /= v.s;
  const long long r = rest % v.r;
  rest /= v.r;  // rest is n C + c
  const long long row = v.t * i + v.d * r - v.p, column = v.u * j + v.e * s - v.q;
  const bool inside = row >= 0 && row < v.h && column >= 0 && column < v.w;
  columns[at] = inside ? x[(rest * v.h + row) * v.w + column] : real(0);  // (1)
}

extern "C" __global__ void gather(const real* dcolumns, const real* dws, real* dx, real* dw,
                                  Window v, Gathered g) {
  const long long at = (long long)blockIdx.x * blockDim.x + threadIdx.x;
  if (at >= g.pixels) {
    const long long weight = at - g.pixels;
    if (weight >= g.weights) return;
    real sum = g.before ? dw[weight] : real(0);
    for (long long n = 0; n < v.n; n++) sum += dws[n * g.weights + weight];  // (3)
    dw[weight] = sum;
    return;
  }
  const long long column = at % v.w, row = at / v.w % v.h, plane = at / v.w / v.h;
  real sum = 0;
  for (long long r = 0; r < v.r; r++) {
    const long long down = row + v.p - v.d * r,
                    i = down / v.t;  // down = t i, if tap r met this row
    if (down < 0 || down % v.t || i >= v.oh) continue;
    for (long long s = 0; s < v.s; s++) {
      const long long along = column + v.q - v.e * s, j = along / v.u;
      if (along < 0 || along % v.u || j >= v.ow) continue;
      sum += dcolumns[(((plane * v.r + r) * v.s + s) * v.oh + i) * v.ow + j];  // (2)
    }
  }
  dx[at] = sum;
}
