// Barriers, and what the threads of a warp tell each other.
//
// A thread that waits hands over to the device, which lets the others run and comes back. In the
// meantime threadIdx has been theirs.
#pragma once
#include <string.h>
#include <threads.h>

extern "C" {
void emulated_barrier();
void emulated_warp_barrier(unsigned mask);  // of these lanes
uint64_t* emulated_slots();                 // one for each thread of a block
extern char* emulated_dynamic_shared;       // what `extern __shared__` names
}

namespace emulated {

inline void wait() {
  const uint3 mine = threadIdx;
  emulated_barrier();
  threadIdx = mine;
}
inline void wait(unsigned mask) {
  const uint3 mine = threadIdx;
  emulated_warp_barrier(mask);
  threadIdx = mine;
}

inline unsigned thread() {
  return threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
}

/// The slots of this thread's warp, once each of these lanes has put its value there.
template <class T>
inline uint64_t* show(unsigned mask, T value) {
  static_assert(sizeof(T) <= 8, "a thread shows 8 bytes at most");
  const unsigned me = thread();
  uint64_t* warp = emulated_slots() + me / 32 * 32;
  memcpy(&warp[me % 32], &value, sizeof(T));
  wait(mask);
  return warp;
}

/// The value of another lane, or of this one where the other lies outside of its segment.
template <class T>
inline T value_of(unsigned mask, T value, int lane) {
  uint64_t* warp = show(mask, value);
  T found;
  memcpy(&found, &warp[lane], sizeof(T));
  wait(mask);  // nobody shows anything else before all have read
  return found;
}

inline int lane() { return int(thread() % 32); }
inline int segment(int width) { return lane() / width * width; }

}  // namespace emulated

inline void __syncthreads() { emulated::wait(); }
inline void __syncwarp(unsigned mask = ~0u) { emulated::wait(mask); }
inline void __threadfence() {}
inline void __threadfence_block() {}
inline void __threadfence_system() {}

template <class T>
inline T __shfl_sync(unsigned mask, T value, int from, int width = 32) {
  return emulated::value_of(mask, value, emulated::segment(width) + (from & (width - 1)));
}
template <class T>
inline T __shfl_up_sync(unsigned mask, T value, unsigned by, int width = 32) {
  const int from = emulated::lane() - int(by);
  return emulated::value_of(mask, value, from < emulated::segment(width) ? emulated::lane() : from);
}
template <class T>
inline T __shfl_down_sync(unsigned mask, T value, unsigned by, int width = 32) {
  const int from = emulated::lane() + int(by);
  const bool outside = from >= emulated::segment(width) + width;
  return emulated::value_of(mask, value, outside ? emulated::lane() : from);
}
template <class T>
inline T __shfl_xor_sync(unsigned mask, T value, int by, int width = 32) {
  const int from = emulated::lane() ^ by;
  const bool outside = from >= emulated::segment(width) + width;
  return emulated::value_of(mask, value, outside ? emulated::lane() : from);
}

inline unsigned __ballot_sync(unsigned mask, int yes) {
  uint64_t* warp = emulated::show(mask, uint64_t(yes != 0));
  const unsigned threads = blockDim.x * blockDim.y * blockDim.z;
  const unsigned first = emulated::thread() / 32 * 32;
  unsigned bits = 0;
  for (unsigned i = 0; i < 32 && first + i < threads; i++) bits |= unsigned(warp[i] & 1) << i;
  emulated::wait(mask);
  return bits & mask;
}
inline int __any_sync(unsigned mask, int yes) { return __ballot_sync(mask, yes) != 0; }
inline int __all_sync(unsigned mask, int yes) { return __ballot_sync(mask, !yes) == 0; }
inline unsigned __activemask() { return ~0u; }

inline int __syncthreads_count(int yes) {
  static int count;
  emulated::wait();
  count = 0;
  emulated::wait();
  count += yes != 0;
  emulated::wait();
  return count;
}
inline int __syncthreads_or(int yes) { return __syncthreads_count(yes) > 0; }
inline int __syncthreads_and(int yes) { return __syncthreads_count(!yes) == 0; }
