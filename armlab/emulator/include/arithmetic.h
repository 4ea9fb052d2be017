// CUDA's arithmetic in that of the host. The card's own differs in the last bits: see README.md.
#pragma once
#include <math.h>
#include <stdint.h>
#include <string.h>
#include <threads.h>

// Vectors. float3 and its like are three values in a row; those of 2 and 4 are aligned as a whole.
#define VECTORS(T, N)                                                        \
  struct N##1 { T x; };                                                      \
  struct alignas(2 * sizeof(T)) N##2 { T x, y; };                            \
  struct N##3 { T x, y, z; };                                                \
  struct alignas(sizeof(T) < 8 ? 4 * sizeof(T) : 16) N##4 { T x, y, z, w; }; \
  inline N##2 make_##N##2(T x, T y) { return {x, y}; }                       \
  inline N##3 make_##N##3(T x, T y, T z) { return {x, y, z}; }               \
  inline N##4 make_##N##4(T x, T y, T z, T w) { return {x, y, z, w}; }
VECTORS(int, int)
VECTORS(float, float)
VECTORS(double, double)
#undef VECTORS

// The same bits as another type
namespace emulated {
template <class To, class From>
inline To bits(From from) {
  static_assert(sizeof(To) == sizeof(From), "as many bits");
  To to;
  memcpy(&to, &from, sizeof to);
  return to;
}
}  // namespace emulated
inline float __int_as_float(int x) { return emulated::bits<float>(x); }
inline float __uint_as_float(unsigned x) { return emulated::bits<float>(x); }
inline int __float_as_int(float x) { return emulated::bits<int>(x); }
inline unsigned __float_as_uint(float x) { return emulated::bits<unsigned>(x); }
inline double __longlong_as_double(long long x) { return emulated::bits<double>(x); }
inline long long __double_as_longlong(double x) { return emulated::bits<long long>(x); }

// Bits of integers
inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline int __popcll(unsigned long long x) { return __builtin_popcountll(x); }
inline int __clz(int x) { return x ? __builtin_clz(unsigned(x)) : 32; }
inline int __clzll(long long x) { return x ? __builtin_clzll((unsigned long long)x) : 64; }
inline int __ffs(int x) { return __builtin_ffs(x); }
inline int __ffsll(long long x) { return __builtin_ffsll(x); }
inline int __mulhi(int a, int b) { return int(int64_t(a) * b >> 32); }
inline unsigned __umulhi(unsigned a, unsigned b) { return unsigned(uint64_t(a) * b >> 32); }
inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
  return (unsigned long long)((unsigned __int128)a * b >> 64);
}

// min and max of two numbers of any types; of floating-point numbers the one that is no NaN
namespace emulated {
template <class A, class B>
using Number =
    std::enable_if_t<std::is_arithmetic_v<A> && std::is_arithmetic_v<B>, std::common_type_t<A, B>>;
}
template <class A, class B>
inline emulated::Number<A, B> min(A a, B b) {
  using T = std::common_type_t<A, B>;
  if constexpr (std::is_floating_point_v<T>) return fmin(T(a), T(b));
  return T(b) < T(a) ? T(b) : T(a);
}
template <class A, class B>
inline emulated::Number<A, B> max(A a, B b) {
  using T = std::common_type_t<A, B>;
  if constexpr (std::is_floating_point_v<T>) return fmax(T(a), T(b));
  return T(a) < T(b) ? T(b) : T(a);
}

// Functions that the host's library lacks
inline float rsqrtf(float x) { return 1 / sqrtf(x); }
inline float rsqrt(float x) { return 1 / sqrtf(x); }
inline double rsqrt(double x) { return 1 / sqrt(x); }
inline float rcbrtf(float x) { return 1 / cbrtf(x); }
inline double rcbrt(double x) { return 1 / cbrt(x); }
inline float sinpif(float x) { return float(sin(M_PI * x)); }
inline double sinpi(double x) { return sin(M_PI * x); }
inline float cospif(float x) { return float(cos(M_PI * x)); }
inline double cospi(double x) { return cos(M_PI * x); }
inline float __saturatef(float x) { return fminf(fmaxf(x, 0), 1); }
template <class T>
inline T __ldg(const T* p) {
  return *p;
}

// The card's fast functions, which round more coarsely there
inline float __expf(float x) { return expf(x); }
inline float __exp10f(float x) { return exp10f(x); }
inline float __logf(float x) { return logf(x); }
inline float __log2f(float x) { return log2f(x); }
inline float __log10f(float x) { return log10f(x); }
inline float __sinf(float x) { return sinf(x); }
inline float __cosf(float x) { return cosf(x); }
inline float __tanf(float x) { return tanf(x); }
inline float __powf(float x, float y) { return powf(x, y); }
inline float __fdividef(float x, float y) { return x / y; }

// One operation rounded once, never fused with the next: the value goes through memory
namespace emulated {
template <class T>
inline T rounded(T x) {
  asm("" : "+x"(x));
  return x;
}
}  // namespace emulated
inline float __fadd_rn(float x, float y) { return emulated::rounded(x + y); }
inline float __fsub_rn(float x, float y) { return emulated::rounded(x - y); }
inline float __fmul_rn(float x, float y) { return emulated::rounded(x * y); }
inline float __fdiv_rn(float x, float y) { return emulated::rounded(x / y); }
inline float __frcp_rn(float x) { return emulated::rounded(1 / x); }
inline float __fsqrt_rn(float x) { return sqrtf(x); }
inline float __frsqrt_rn(float x) { return float(1 / sqrt(double(x))); }
inline float __fmaf_rn(float x, float y, float z) { return fmaf(x, y, z); }
inline double __dadd_rn(double x, double y) { return emulated::rounded(x + y); }
inline double __dsub_rn(double x, double y) { return emulated::rounded(x - y); }
inline double __dmul_rn(double x, double y) { return emulated::rounded(x * y); }
inline double __ddiv_rn(double x, double y) { return emulated::rounded(x / y); }
inline double __dsqrt_rn(double x) { return sqrt(x); }
inline double __fma_rn(double x, double y, double z) { return fma(x, y, z); }
