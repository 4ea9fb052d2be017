// Max pooling with the tap that won; and back, each pixel gathering from the windows it won.
//
//     y[n,c,i,j] = max_{r,s} x[n, c, t i + r - p, u j + s - q],  inside of x                 (1)
//     dx[n,c,h,w] = Σ dy[n,c,i,j]   over the windows in which this pixel was the winner      (2)
//
// The winner of a window is its first tap, row by row, that holds the maximum; a NaN wins over
// numbers, and the last NaN over others. No two threads write to one place, and the sum of (2) runs
// over the taps in their order.
//
// One thread for an element of the result. pool reads x, R S / (t u) times, but for the first time
// from the cache, and writes y and the winners, 4 bytes each; unpool reads dy and the winners as
// often, and writes dx. Next to the floor that is 4 bytes for each y, written and read.

struct Windows {
  long long planes, h, w;  // of x, planes = N C
  long long oh, ow;        // of y
  long long r, s;          // of the kernel
  long long t, u;          // stride
  long long p, q;          // padding
};

extern "C" __global__ void pool(const real* x, real* y, int* winner, Windows v) {
  const long long at = (long long)blockIdx.x * blockDim.x + threadIdx.x;
  if (at >= v.planes * v.oh * v.ow) return;
  const long long j = at % v.ow, i = at / v.ow % v.oh, plane = at / v.ow / v.oh;
  real best = 0;
  int won = -1;  // nobody so far
  for (long long r = 0; r < v.r; r++) {
    const long long row = v.t * i + r - v.p;
    if (row < 0 || row >= v.h) continue;
    for (long long s = 0; s < v.s; s++) {
      const long long column = v.u * j + s - v.q;
      if (column < 0 || column >= v.w) continue;
      const real other = x[(plane * v.h + row) * v.w + column];
      if (won < 0 || other > best || other != other) best = other, won = int(r * v.s + s);  // (1)
    }
  }
  y[at] = best;
  winner[at] = won;
}

extern "C" __global__ void unpool(const real* dy, const int* winner, real* dx, Windows v) {
  const long long at = (long long)blockIdx.x * blockDim.x + threadIdx.x;
  if (at >= v.planes * v.h * v.w) return;
  const long long column = at % v.w, row = at / v.w % v.h, plane = at / v.w / v.h;
  real sum = 0;
  for (long long r = 0; r < v.r; r++) {
    const long long down = row + v.p - r, i = down / v.t;  // down = t i, if tap r met this row
    if (down < 0 || down % v.t || i >= v.oh) continue;
    for (long long s = 0; s < v.s; s++) {
      const long long along = column + v.q - s, j = along / v.u;
      if (along < 0 || along % v.u || j >= v.ow) continue;
      const long long window = (plane * v.oh + i) * v.ow + j;
      if (winner[window] == int(r * v.s + s)) sum += dy[window];  // (2)
    }
  }
  dx[at] = sum;
}
