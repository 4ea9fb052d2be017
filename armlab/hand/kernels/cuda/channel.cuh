// A channel with its statistics: v, what an activation makes of it, and the way back through both.
//
//     x̂ = (x - mean) r,   v = w x̂ + b                                  (1)
//     y = act(v)                                                       (2)
//
// act is LeakyReLU, with slope 0 ReLU, and with slope 1 nothing: then y is v, and dv is dy. v is
// computed again in the backward, by the same rounding, which costs less than to read y.

#include "slices.cuh"

struct Channel {
  real mean, r, w, b;
  __device__ real xhat(real x) const { return (x - mean) * r; }
  __device__ real v(real xhat) const { return fma(w, xhat, b); }
};

// (2), and what of dy it lets through: at 0 and NaN as `relu` and `leaky_relu` have it
__device__ real activated(real v, real slope) { return v < 0 ? (slope ? slope * v : 0) : v; }
__device__ real passed(real dy, real v, real slope) {
  if (slope) return v > 0 ? dy : slope * dy;
  return v > 0 || v != v ? dy : real(0);
}
