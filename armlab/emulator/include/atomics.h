// Atomic functions: threads take turns, so to read and then to write is enough.
#pragma once
#include <threads.h>

#define CHANGED(function, T, changed) \
  inline T function(T* p, T by) {     \
    const T old = *p;                 \
    *p = changed;                     \
    return old;                       \
  }
#define FOR_INTEGERS(T)                           \
  CHANGED(atomicAdd, T, old + by)                 \
  CHANGED(atomicExch, T, by)                      \
  CHANGED(atomicMin, T, by < old ? by : old)      \
  CHANGED(atomicMax, T, old < by ? by : old)      \
  CHANGED(atomicAnd, T, old& by)                  \
  CHANGED(atomicOr, T, old | by)                  \
  CHANGED(atomicXor, T, old ^ by)                 \
  inline T atomicCAS(T* p, T expected, T value) { \
    const T old = *p;                             \
    if (old == expected) *p = value;              \
    return old;                                   \
  }
FOR_INTEGERS(int)
FOR_INTEGERS(unsigned)
FOR_INTEGERS(unsigned long long)
CHANGED(atomicMin, long long, by < old ? by : old)
CHANGED(atomicMax, long long, old < by ? by : old)
CHANGED(atomicSub, int, old - by)
CHANGED(atomicSub, unsigned, old - by)
CHANGED(atomicInc, unsigned, old >= by ? 0 : old + 1)
CHANGED(atomicDec, unsigned, old == 0 || old > by ? by : old - 1)
CHANGED(atomicAdd, float, old + by)
CHANGED(atomicAdd, double, old + by)
CHANGED(atomicExch, float, by)
#undef FOR_INTEGERS
#undef CHANGED
