// What NVRTC knows before it reads a kernel, for g++.
#pragma once
#include <assert.h>
#include <float.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include <initializer_list>
#include <limits>

#include <arithmetic.h>
#include <atomics.h>
#include <threads.h>
#include <warps.h>

inline long long clock64() { return 0; }
