// Copies and fills, whose direction and extent are looked at before a byte is moved.
#include <string.h>

#include "device.h"

namespace {
const char* const WAYS[] = {"host to host", "host to device", "device to host", "device to device"};
constexpr int FROM_THE_POINTERS = 4;

/// What is wrong with bytes that lie on the device; empty where nothing is.
std::string outside(const char* what, const void* p, size_t size) {
  if (!memory::on_device(p) || memory::holding(p, size)) return "";
  if (const Allocation* a = memory::around(p))
    return words("%s %zu bytes from byte %td of an allocation of %zu", what, size,
                 static_cast<const char*>(p) - a->begin, a->size);
  if (memory::freed_around(p)) return words("%s memory that was freed", what);
  return words("%s %zu bytes at %p, outside of every allocation", what, size, p);
}

Failure copy(void* to, const void* from, size_t size, int kind) {
  if (size == 0) return NONE;
  const int way = (memory::on_device(from) ? 2 : 0) + (memory::on_device(to) ? 1 : 0);
  Work work(COPY, WAYS[way], size);
  if (kind != FROM_THE_POINTERS && kind != way)
    return fail(INVALID_VALUE, "a copy %s was asked for, and the pointers are for one %s",
                WAYS[kind & 3], WAYS[way]);
  for (const std::string& wrong :
       {outside("a copy reads", from, size), outside("a copy writes", to, size)})
    if (!wrong.empty()) return fail(INVALID_VALUE, "%s", wrong.c_str());
  if (!Work::idle) memmove(to, from, size);
  return NONE;
}

Failure copy_rows(void* to, size_t to_pitch, const void* from, size_t from_pitch, size_t width,
                  size_t height, int kind) {
  for (size_t row = 0; row < height; row++) {
    char* there = static_cast<char*>(to) + row * to_pitch;
    const char* here = static_cast<const char*>(from) + row * from_pitch;
    if (Failure code = copy(there, here, width, kind)) return code;
  }
  return NONE;
}

Failure fill(void* p, int value, size_t size) {
  if (size == 0) return NONE;
  Work work(FILL, "memset", size);
  std::string wrong = outside("a fill writes", p, size);
  if (!memory::on_device(p)) wrong = "a fill writes to the host";
  if (!wrong.empty()) return fail(INVALID_VALUE, "%s", wrong.c_str());
  if (!Work::idle) memset(p, value, size);
  return NONE;
}

int waiting(const char* name, Failure code) {
  count(WAIT, name, 0, 0);
  return code;
}
}  // namespace

API int cudaMemcpyAsync(void* to, const void* from, size_t size, int kind, void*) {
  return copy(to, from, size, kind);
}
API int cudaMemcpy(void* to, const void* from, size_t size, int kind) {
  return waiting("cudaMemcpy", copy(to, from, size, kind));
}
API int cudaMemcpyPeerAsync(void* to, int, const void* from, int, size_t size, void*) {
  return copy(to, from, size, 3);
}
API int cudaMemcpyPeer(void* to, int, const void* from, int, size_t size) {
  return waiting("cudaMemcpyPeer", copy(to, from, size, 3));
}
API int cudaMemcpy2DAsync(void* to, size_t to_pitch, const void* from, size_t from_pitch,
                          size_t width, size_t height, int kind, void*) {
  return copy_rows(to, to_pitch, from, from_pitch, width, height, kind);
}
API int cudaMemcpy2D(void* to, size_t to_pitch, const void* from, size_t from_pitch, size_t width,
                     size_t height, int kind) {
  return waiting("cudaMemcpy2D", copy_rows(to, to_pitch, from, from_pitch, width, height, kind));
}
API int cudaMemsetAsync(void* p, int value, size_t size, void*) { return fill(p, value, size); }
API int cudaMemset(void* p, int value, size_t size) { return fill(p, value, size); }
