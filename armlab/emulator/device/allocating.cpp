// CUDA's calls that allocate and free, on the device and pinned on the host.
#include <stdlib.h>

#include <algorithm>
#include <map>

#include "device.h"

namespace {
std::map<char*, Allocation> host;  // pinned memory, by where it begins
}

bool memory::pinned(const void* p) {
  std::lock_guard<std::recursive_mutex> guard(lock);
  auto after = host.upper_bound(static_cast<char*>(const_cast<void*>(p)));
  if (after == host.begin()) return false;
  return p < std::prev(after)->second.end();
}
std::vector<const Allocation*> memory::pinned() {
  std::vector<const Allocation*> all;
  for (const auto& [_, a] : host) all.push_back(&a);
  return all;
}

API int cudaMalloc(void** p, size_t size) {
  *p = memory::allocate(size);
  if (*p) return NONE;
  return fail(OUT_OF_MEMORY, "there is no room for %zu bytes more: %zu of %zu are in use", size,
              memory::used(), memory::capacity());
}
API int cudaFree(void* p) {
  if (!p || memory::release(p)) return NONE;
  const char* before = memory::freed_around(p) ? "freed before" : "never allocated";
  return fail(INVALID_VALUE, "cudaFree of %p, which was %s", p, before);
}
API int cudaMallocAsync(void** p, size_t size, void*) { return cudaMalloc(p, size); }
API int cudaFreeAsync(void* p, void*) { return cudaFree(p); }
API int cudaHostAlloc(void** p, size_t size, unsigned) {
  std::lock_guard<std::recursive_mutex> guard(memory::lock);
  const size_t length = memory::whole_pages(std::max<size_t>(size, 1));
  *p = aligned_alloc(memory::PAGE, length);
  if (!*p) return fail(OUT_OF_MEMORY, "the host has no room for %zu bytes", size);
  char* begin = static_cast<char*>(*p);
  host[begin] = {begin, length, begin, length};
  return NONE;
}
API int cudaFreeHost(void* p) {
  std::lock_guard<std::recursive_mutex> guard(memory::lock);
  host.erase(static_cast<char*>(p));
  return free(p), NONE;
}
API int cudaMemGetInfo(size_t* available, size_t* total) {
  *total = memory::capacity();
  *available = *total - memory::used();
  return NONE;
}

struct PointerAttributes {
  int type, device;
  void *on_device, *on_host;
};
API int cudaPointerGetAttributes(PointerAttributes* to, const void* p) {
  void* at = const_cast<void*>(p);
  if (memory::on_device(p)) *to = {2, 0, at, nullptr};
  else if (memory::pinned(p)) *to = {1, 0, at, at};
  else *to = {0, -2, nullptr, at};
  return NONE;
}
API void emulated_close_to_host(bool closed) { memory::close_to_host(closed); }
