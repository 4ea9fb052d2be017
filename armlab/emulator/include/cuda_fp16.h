// half, as CuPy's float16 uses it: two bytes, with arithmetic in float.
#pragma once
#include <arithmetic.h>

struct __half_raw {
  unsigned short x;
};
struct half {
  _Float16 value;
  half() = default;
  half(float v) : value(_Float16(v)) {}
  explicit half(double v) : value(_Float16(v)) {}
  template <class T, class = std::enable_if_t<std::is_integral_v<T>>>
  explicit half(T v) : value(_Float16(v)) {}
  half(__half_raw raw) : value(emulated::bits<_Float16>(raw.x)) {}
  operator float() const { return float(value); }
  operator __half_raw() const { return {emulated::bits<unsigned short>(value)}; }
};
typedef half __half;
inline unsigned short __half_as_ushort(half h) { return emulated::bits<unsigned short>(h.value); }
inline half __ushort_as_half(unsigned short x) { return half(__half_raw{x}); }
inline half __float2half(float x) { return half(x); }
inline half __float2half_rn(float x) { return half(x); }
inline float __half2float(half h) { return h; }
