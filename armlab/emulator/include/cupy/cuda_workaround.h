// In place of CuPy's, which takes std from the library of CUDA: g++ has its own.
#pragma once
#include <limits>
#include <tuple>
#include <type_traits>
#include <utility>
