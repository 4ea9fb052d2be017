// What NVRTC knows before it reads a kernel, for g++.
#pragma once
#include <arithmetic.h>
#include <assert.h>
#include <atomics.h>
#include <counted.h>
#include <float.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <threads.h>
#include <warps.h>

#include <initializer_list>
#include <limits>

inline long long clock64() { return 0; }

extern "C" [[noreturn]] void emulated_stop(const char* what, int line);
#define __trap() emulated_stop("comes to __trap()", __LINE__)
#ifndef NDEBUG
#undef assert
#define assert(holds) ((holds) ? void() : emulated_stop("asserts in vain that " #holds, __LINE__))
#endif
