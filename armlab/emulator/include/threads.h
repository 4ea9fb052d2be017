// The words of CUDA C++ that g++ does not know, a kernel's indices, and how the device starts it.
#pragma once
#include <launch.h>

#include <type_traits>
#include <utility>

#define __CUDACC__ 1
#define __CUDACC_RTC__ 1
#define __CUDACC_VER_MAJOR__ 12
#define __CUDACC_VER_MINOR__ 9
#define __CUDA_ARCH__ 900

#define __global__
#define __device__
#define __host__
#define __constant__
#define __shared__ static __thread  // so that the device knows where a block's memory is
#define __forceinline__ inline __attribute__((always_inline))
#define __noinline__ __attribute__((noinline))
#define __align__(n) __attribute__((aligned(n)))
#define __launch_bounds__(...)
#define __restrict__ __restrict
#define __grid_constant__

struct uint3 {
  unsigned x, y, z;
};
struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
};

static uint3 threadIdx, blockIdx;
static dim3 blockDim, gridDim;
constexpr int warpSize = 32;

namespace emulated {

template <auto kernel, class... A, size_t... I>
inline void run(void (*)(A...), const Launch& launch, std::index_sequence<I...>) {
  gridDim = dim3(launch.grid.x, launch.grid.y, launch.grid.z);
  blockDim = dim3(launch.block.x, launch.block.y, launch.block.z);
  blockIdx = {launch.at.x, launch.at.y, launch.at.z};
  const bool line = launch.block.y == 1 && launch.block.z == 1;
  for (unsigned i = launch.begin; i < launch.end; i++) {
    const unsigned t = launch.order ? launch.order[i] : i;
    *launch.running = t;
    threadIdx = {t, 0, 0};
    if (!line) {
      const unsigned row = t / blockDim.x;
      threadIdx = {t % blockDim.x, row % blockDim.y, row / blockDim.y};
    }
    kernel(*static_cast<std::remove_reference_t<A>*>(launch.arguments[I])...);
  }
}

template <class... A>
constexpr std::index_sequence_for<A...> indices(void (*)(A...)) {
  return {};
}

template <class T>
constexpr unsigned pointee() {
  using To = std::remove_pointer_t<T>;
  if constexpr (!std::is_pointer_v<T>) return 0;
  else if constexpr (std::is_void_v<To>) return 1;
  else return sizeof(To);
}

template <class... A>
struct Parameters {
  static constexpr Parameter all[sizeof...(A) + 1] = {{sizeof(A), pointee<A>()}..., {0, 0}};
};
template <class... A>
constexpr const Parameter* parameters(void (*)(A...)) {
  return Parameters<A...>::all;
}
template <class... A>
constexpr unsigned count(void (*)(A...)) {
  return sizeof...(A);
}

}  // namespace emulated

/// Export a kernel under a symbol; the last argument is its name in C++, which may hold commas.
#define EMULATED_KERNEL(symbol, threads, flushes, declared, ...)                         \
  static void emulated_run_##symbol(const Launch* launch) {                              \
    emulated::run<&__VA_ARGS__>(&__VA_ARGS__, *launch, emulated::indices(&__VA_ARGS__)); \
  }                                                                                      \
  extern "C" __attribute__((visibility("default")))                                      \
  const Kernel emulated_kernel_##symbol = {#__VA_ARGS__,                                 \
                                           declared,                                     \
                                           threads,                                      \
                                           flushes,                                      \
                                           emulated::count(&__VA_ARGS__),                \
                                           emulated::parameters(&__VA_ARGS__),           \
                                           emulated_run_##symbol};
