// What is wrong with a kernel that stopped, in a sentence that names it and its argument.
#include <signal.h>
#include <string.h>

#include "run.h"

std::string argument_name(const Kernel& kernel, unsigned i) {
  const char* declared = kernel.declared;
  for (unsigned k = 0; k < i && *declared; k++) {
    const char* end = strchr(declared, '\n');
    declared = end ? end + 1 : "";
  }
  const int length = int(strcspn(declared, "\n"));
  return words("argument %u (%.*s)", i + 1, length, declared);
}

std::string argument_into(const Kernel& kernel, void** arguments, const Allocation& a) {
  for (unsigned i = 0; i < kernel.parameters; i++) {
    for (size_t at = 0; at + 8 <= kernel.parameter[i].size; at += 8) {
      char* p;
      memcpy(&p, static_cast<char*>(arguments[i]) + at, 8);
      if (p >= a.begin && p <= a.end()) return argument_name(kernel, i);
    }
  }
  return "memory that no argument points to";
}

std::string place_name(const Kernel& kernel, void** arguments, const char* p) {
  const Allocation* live = memory::around(p);
  const Allocation* a = live ? live : memory::freed_around(p);
  if (!a) {
    if (p >= shared_end() && p < shared_end() + memory::PAGE)
      return "behind its dynamic shared memory";
    if (memory::on_device(p)) return "outside of every allocation";
    return words("at %p, which is not memory of the device", p);
  }
  const std::string name = argument_into(kernel, arguments, *a);
  if (!live) return words("%zu bytes that were freed, of ", a->size) + name;
  const bool behind = p >= a->end();
  const size_t distance = size_t(behind ? p - a->end() : a->begin - p);
  const std::string far = distance ? words("%zu bytes ", distance) : "just ";
  return far + words("%s the %zu bytes of ", behind ? "behind" : "before", a->size) + name;
}

namespace {
std::string what(const Run& run, const Fault& fault) {
  if (*fault.said) return fault.said;
  if (fault.signal == SIGFPE) return "divides an integer by zero";
  const std::string verb = fault.writes ? "writes " : "reads ";
  if (fault.odd) return verb + "a vector at an address that is not a multiple of its size";
  const char* address = static_cast<char*>(fault.address);
  return verb + place_name(*run.function.kernel, run.launch.arguments, address);
}
}  // namespace

Failure stopped(const Run& run, const Fault& fault) {
  const Kernel& kernel = *run.function.kernel;
  const unsigned t = kernel.threads == TOGETHER ? running_thread() : run.running;
  const Size3 block = run.launch.block, at = run.launch.at;
  const unsigned row = t / block.x;
  return fail(ILLEGAL_ADDRESS, "kernel %s %s: thread (%u, %u, %u) of block (%u, %u, %u)",
              kernel.name, what(run, fault).c_str(), t % block.x, row % block.y, row / block.y,
              at.x, at.y, at.z);
}

Failure ended_badly(const Kernel& kernel, BlockEnd ended) {
  const char* why =
      ended == DEADLOCK
          ? "hangs: threads of a block wait at different barriers"
          : "has a barrier that only some threads of a block reach: others have ended";
  return fail(LAUNCH_FAILED, "kernel %s %s", kernel.name, why);
}
