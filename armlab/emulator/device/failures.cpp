// Failures: CUDA's codes, each with a sentence that says what went wrong where.
//
// CuPy asks for the words of a code at once, so the sentence of the last failure is the right one.
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "device.h"

namespace {
thread_local std::string sentence;
thread_local Failure last = NONE;
Failure untold = NONE;

std::string formatted(const char* format, va_list arguments) {
  char text[2048];
  vsnprintf(text, sizeof text, format, arguments);
  return text;
}
}  // namespace

std::string words(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  std::string text = formatted(format, arguments);
  va_end(arguments);
  return text;
}

Failure fail(Failure code, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  sentence = "on the emulated device, " + formatted(format, arguments);
  va_end(arguments);
  return last = code;
}

void fail_later(Failure code) { untold = code; }

Failure pending() {
  Failure code = untold;
  untold = NONE;
  return code;
}

namespace {
/// What the runtime and the driver call a code.
struct Name {
  int code;
  const char *runtime, *driver;
};
constexpr Name NAMES[] = {
    {NONE, "cudaSuccess", "CUDA_SUCCESS"},
    {INVALID_VALUE, "cudaErrorInvalidValue", "CUDA_ERROR_INVALID_VALUE"},
    {OUT_OF_MEMORY, "cudaErrorMemoryAllocation", "CUDA_ERROR_OUT_OF_MEMORY"},
    {INVALID_DEVICE, "cudaErrorInvalidDevice", "CUDA_ERROR_INVALID_DEVICE"},
    {NO_BINARY, "cudaErrorNoKernelImageForDevice", "CUDA_ERROR_NO_BINARY_FOR_GPU"},
    {NOT_FOUND, "cudaErrorSymbolNotFound", "CUDA_ERROR_NOT_FOUND"},
    {ILLEGAL_ADDRESS, "cudaErrorIllegalAddress", "CUDA_ERROR_ILLEGAL_ADDRESS"},
    {LAUNCH_FAILED, "cudaErrorLaunchFailure", "CUDA_ERROR_LAUNCH_FAILED"},
    {NOT_SUPPORTED, "cudaErrorNotSupported", "CUDA_ERROR_NOT_SUPPORTED"},
};
Name named(int code) {
  for (const Name& name : NAMES)
    if (name.code == code) return name;
  return {code, "cudaErrorUnknown", "CUDA_ERROR_UNKNOWN"};
}
}  // namespace

API const char* cudaGetErrorName(int code) { return named(code).runtime; }
API const char* cudaGetErrorString(int code) {
  return code == last ? sentence.c_str() : "no sentence for this code";
}
API int cudaGetLastError() { return pending(); }
API int cudaPeekAtLastError() { return untold; }
API int cuGetErrorName(int code, const char** name) { return *name = named(code).driver, NONE; }
API int cuGetErrorString(int code, const char** text) {
  return *text = cudaGetErrorString(code), NONE;
}

/// Where a function of CUDA that is not there leads.
API int emulated_missing(const char* name) {
  fail(NOT_SUPPORTED, "there is no %s: armlab/emulator/README.md lists what there is", name);
  if (strncmp(name, "cublas", 6) == 0)
    fprintf(stderr, "armlab: %s\n", sentence.c_str());  // has codes alone
  if (strncmp(name, "cudaLaunchKernel", 16) == 0)
    fail_later(NOT_SUPPORTED);  // of which nobody asks the code
  return NOT_SUPPORTED;
}
