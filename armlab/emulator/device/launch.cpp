// A launch: what a card would refuse is refused, and the rest is run.
#include "run.h"

namespace launching {
bool strict = false;
uint64_t seed = 0;
double seconds = 0;
std::vector<uint64_t> chosen;
}  // namespace launching

namespace {
constexpr unsigned MOST_THREADS = 1024;

Failure too_large(const Function& function, Size3 grid, Size3 block, unsigned dynamic) {
  const char* name = function.kernel->name;
  const uint64_t threads = uint64_t(block.x) * block.y * block.z;
  const uint64_t blocks = uint64_t(grid.x) * grid.y * grid.z;
  if (threads > MOST_THREADS || block.z > 64)
    return fail(INVALID_VALUE,
                "kernel %s is launched with %u × %u × %u threads in a block: at most "
                "1,024, and 64 in z",
                name, block.x, block.y, block.z);
  if (!threads || !blocks)
    return fail(INVALID_VALUE,
                "kernel %s is launched with %u × %u × %u blocks of %u × %u × %u threads: "
                "at least 1",
                name, grid.x, grid.y, grid.z, block.x, block.y, block.z);
  if (grid.x > 0x7fffffff || grid.y > 65535 || grid.z > 65535)
    return fail(INVALID_VALUE,
                "kernel %s is launched with %u × %u × %u blocks: at most 2,147,483,647 in "
                "x, and 65,535 in y and z",
                name, grid.x, grid.y, grid.z);
  if (function.shared + dynamic > function.allowed)
    return fail(INVALID_VALUE, "kernel %s wants %zu bytes of shared memory: it has %u", name,
                function.shared + dynamic, function.allowed);
  return NONE;
}

/// Pointers of the host are refused: on a card the first access fails.
Failure from_the_host(const Kernel& kernel, void** arguments) {
  for (unsigned i = 0; i < kernel.parameters; i++) {
    if (!kernel.parameter[i].pointee) continue;
    void* p = *static_cast<void**>(arguments[i]);
    if (!p || memory::on_device(p) || memory::pinned(p)) continue;
    return fail(ILLEGAL_ADDRESS,
                "kernel %s gets an address of the host, %p, as %s: hand over an array "
                "of the device",
                kernel.name, p, argument_name(kernel, i).c_str());
  }
  return NONE;
}
}  // namespace

Failure launch(const Function& function, Size3 grid, Size3 block, unsigned dynamic,
               void** arguments) {
  const Kernel& kernel = *function.kernel;
  const unsigned threads = block.x * block.y * block.z;
  if (Failure code = too_large(function, grid, block, dynamic)) return code;
  if (Failure code = from_the_host(kernel, arguments)) return code;
  Work work(KERNEL, kernel.name, uint64_t(grid.x) * grid.y * grid.z * threads);
  if (Work::idle) return NONE;
  Launch launch = {grid, block, {0, 0, 0}, 0, threads, nullptr, arguments, nullptr};
  if (launching::chosen.empty()) {
    if (launching::strict) return run_in_three_orders(function, launch, dynamic);
    if (kernel.threads == STRIDE) {  // one thread that strides over all
      launch.grid = launch.block = {1, 1, 1};
      launch.end = 1;
    }
  }
  return Run(function, launch, dynamic, FORWARD).once();
}

API void emulated_strict(bool strict, uint64_t seed, double seconds) {
  launching::strict = strict;
  launching::seed = seed;
  launching::seconds = seconds;
  memory::close_to_host(strict);
}
API void emulated_choose_blocks(const uint64_t* blocks, size_t count) {
  launching::chosen.assign(blocks, blocks + count);
}
