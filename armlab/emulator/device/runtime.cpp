// The device, its streams and its events. All work is done by the time a call returns.
#include <stdio.h>
#include <string.h>

#include "device.h"

namespace {
constexpr int VERSION = EMULATED_CUDA == 12 ? 12090 : 1000 * EMULATED_CUDA;  // as of 12.9 or 13.0
constexpr int MULTIPROCESSORS = 8, THREADS = 1024, SHARED = 48 << 10, SHARED_ON_REQUEST = 227 << 10;

struct Stream {
  unsigned flags;
  int priority;
};
bool is_default(const Stream* s) { return reinterpret_cast<uintptr_t>(s) <= 2; }

int waited(const char* name) {
  count(WAIT, name, 0, 0);
  return pending();
}
}  // namespace

// -- the device

API int cudaDriverGetVersion(int* version) { return *version = VERSION, NONE; }
API int cudaRuntimeGetVersion(int* version) { return *version = VERSION, NONE; }
API int cudaGetDeviceCount(int* count) { return *count = 1, NONE; }
API int cudaGetDevice(int* device) { return *device = 0, NONE; }
API int cudaSetDevice(int device) {
  return device == 0 ? NONE : fail(INVALID_DEVICE, "there is no device %d: only 0", device);
}
API int cudaDeviceCanAccessPeer(int* can, int, int) { return *can = 0, NONE; }
API int cudaDeviceGetPCIBusId(char* to, int room, int) {
  return snprintf(to, size_t(room), "0000:00:00.0"), NONE;
}
API int cudaDeviceSynchronize() { return waited("cudaDeviceSynchronize"); }
API int cudaProfilerStart() { return NONE; }
API int cudaProfilerStop() { return NONE; }

API int cudaDeviceGetAttribute(int* value, int which, int) {
  switch (which) {
    case 1:
    case 2:
    case 3: *value = THREADS; break;     // of a block, and its x and y
    case 4: *value = 64; break;          // its z
    case 5: *value = 0x7fffffff; break;  // blocks in x
    case 6:
    case 7: *value = 65535; break;  // in y and z
    case 8: *value = SHARED; break;
    case 10: *value = 32; break;     // threads of a warp
    case 12: *value = 65536; break;  // registers of a block
    case 16: *value = MULTIPROCESSORS; break;
    case 39: *value = 2048; break;  // threads of a multiprocessor
    case 75: *value = 9; break;     // compute capability 9.0
    case 76: *value = 0; break;
    case 81: *value = 228 << 10; break;  // shared memory of a multiprocessor
    case 97: *value = SHARED_ON_REQUEST; break;
    default: *value = 0;
  }
  return NONE;
}

/// How cudaDeviceProp begins. CUDA 13 left out the clock, in whose place is padding, and more.
#if EMULATED_CUDA == 12
#define GET_PROPERTIES cudaGetDeviceProperties_v2
constexpr size_t ALL_PROPERTIES = 1032;  // bytes
#else
#define GET_PROPERTIES cudaGetDeviceProperties
constexpr size_t ALL_PROPERTIES = 1008;
#endif
struct Properties {
  char name[256], uuid[16], luid[8];
  unsigned node_mask;
  size_t global_memory, shared_memory;
  int registers, warp;
  size_t pitch;
  int threads, block[3], grid[3];
  size_t constant_memory;
  int major, minor;
  size_t texture_alignment, texture_pitch;
#if EMULATED_CUDA == 12
  int overlaps;
#endif
  int multiprocessors;
};
API int GET_PROPERTIES(Properties* to, int) {
  memset(static_cast<void*>(to), 0, ALL_PROPERTIES);
  snprintf(to->name, sizeof to->name, "emulated device");
  to->global_memory = memory::capacity();
  to->shared_memory = SHARED;
  to->registers = 65536;
  to->warp = 32;
  to->threads = to->block[0] = to->block[1] = THREADS;
  to->block[2] = 64;
  to->grid[0] = 0x7fffffff;
  to->grid[1] = to->grid[2] = 65535;
  to->constant_memory = 65536;
  to->major = 9;
  to->multiprocessors = MULTIPROCESSORS;
  return NONE;
}

// -- contexts

API int cuCtxGetCurrent(void** context) { return *context = &memory::lock, NONE; }
API int cuCtxSetCurrent(void*) { return NONE; }
API int cuCtxGetDevice(int* device) { return *device = 0, NONE; }
API int cuStreamGetCtx(Stream*, void** context) { return *context = &memory::lock, NONE; }
API int cuDevicePrimaryCtxRelease_v2(int) { return NONE; }

// -- streams

API int cudaStreamCreateWithPriority(Stream** s, unsigned flags, int priority) {
  return *s = new Stream{flags, priority}, NONE;
}
API int cudaStreamCreateWithFlags(Stream** s, unsigned flags) {
  return cudaStreamCreateWithPriority(s, flags, 0);
}
API int cudaStreamCreate(Stream** s) { return cudaStreamCreateWithPriority(s, 0, 0); }
API int cudaStreamDestroy(Stream* s) { return delete s, NONE; }
API int cudaStreamGetFlags(Stream* s, unsigned* flags) {
  return *flags = is_default(s) ? 0 : s->flags, NONE;
}
API int cudaStreamGetPriority(Stream* s, int* priority) {
  return *priority = is_default(s) ? 0 : s->priority, NONE;
}
API int cudaStreamSynchronize(Stream*) { return waited("cudaStreamSynchronize"); }
API int cudaStreamQuery(Stream*) { return NONE; }
API int cudaStreamWaitEvent(Stream*, void*, unsigned) { return NONE; }
API int cudaStreamIsCapturing(Stream*, int* status) { return *status = 0, NONE; }
API int cudaLaunchHostFunc(Stream*, void (*function)(void*), void* data) {
  return function(data), NONE;
}
API int cudaStreamAddCallback(Stream* s, void (*function)(Stream*, int, void*), void* data,
                              unsigned) {
  return function(s, NONE, data), NONE;
}

// -- events: the time at which they were recorded

API int cudaEventCreateWithFlags(uint64_t** e, unsigned) { return *e = new uint64_t(0), NONE; }
API int cudaEventCreate(uint64_t** e) { return cudaEventCreateWithFlags(e, 0); }
API int cudaEventDestroy(uint64_t* e) { return delete e, NONE; }
API int cudaEventRecord(uint64_t* e, Stream*) { return *e = now(), NONE; }
API int cudaEventQuery(uint64_t*) { return NONE; }
API int cudaEventSynchronize(uint64_t*) { return waited("cudaEventSynchronize"); }
API int cudaEventElapsedTime(float* milliseconds, uint64_t* from, uint64_t* to) {
  if (!*from || !*to) return fail(INVALID_VALUE, "an event was not recorded");
  return *milliseconds = float(*to - *from) / 1e6f, NONE;
}
