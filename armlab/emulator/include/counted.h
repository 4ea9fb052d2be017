// A number that counts: each time it is read from the device's memory or written there, the device
// hears of it. It stands in the place of float or double where a kernel is written for either.
#pragma once
#include <math.h>

#include <type_traits>

extern "C" void emulated_touch(const void* at, size_t size, bool writes);

namespace emulated {

template <class T>
class Counted {
  T value;
  T read() const {
    emulated_touch(this, sizeof(T), false);
    return value;
  }

 public:
  Counted() = default;
  template <class N, class = std::enable_if_t<std::is_arithmetic_v<N>>>
  Counted(N n) : value(T(n)) {}
  Counted(const Counted& x) : value(x.read()) {}
  Counted& operator=(const Counted& x) {
    value = x.read();
    emulated_touch(this, sizeof(T), true);
    return *this;
  }
  explicit operator bool() const { return read() != 0; }

  Counted operator-() const { return -read(); }
  friend Counted operator+(const Counted& x, const Counted& y) { return x.read() + y.read(); }
  friend Counted operator-(const Counted& x, const Counted& y) { return x.read() - y.read(); }
  friend Counted operator*(const Counted& x, const Counted& y) { return x.read() * y.read(); }
  friend Counted operator/(const Counted& x, const Counted& y) { return x.read() / y.read(); }
  Counted& operator+=(const Counted& x) { return *this = *this + x; }
  friend bool operator<(const Counted& x, const Counted& y) { return x.read() < y.read(); }
  friend bool operator>(const Counted& x, const Counted& y) { return x.read() > y.read(); }
  friend bool operator<=(const Counted& x, const Counted& y) { return x.read() <= y.read(); }
  friend bool operator>=(const Counted& x, const Counted& y) { return x.read() >= y.read(); }
  friend bool operator==(const Counted& x, const Counted& y) { return x.read() == y.read(); }
  friend bool operator!=(const Counted& x, const Counted& y) { return x.read() != y.read(); }

  friend Counted exp(const Counted& x) { return T(::exp(x.read())); }
  friend Counted log(const Counted& x) { return T(::log(x.read())); }
  friend Counted sqrt(const Counted& x) { return T(::sqrt(x.read())); }
  friend Counted fma(const Counted& x, const Counted& y, const Counted& z) { return x * y + z; }
  friend Counted __fmul_rn(const Counted& x, const Counted& y) { return x * y; }
  friend Counted __dmul_rn(const Counted& x, const Counted& y) { return x * y; }
};

}  // namespace emulated
