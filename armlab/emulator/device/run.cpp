// One run of a launch: block after block, and in each thread after thread, or all together.
#include "run.h"

#include <string.h>
#include <sys/mman.h>
#include <xmmintrin.h>

#include <algorithm>
#include <numeric>

char* emulated_dynamic_shared;  // what a kernel's `extern __shared__` names

namespace {
constexpr unsigned SUBNORMALS_ARE_ZERO = 0x8040;
constexpr double GOLDEN = 0.618;

/// From one block to the next, modulo their number: a step that leads to each of them once.
uint64_t step_of(Order order, uint64_t blocks) {
  if (order == FORWARD) return 1;
  if (order == BACKWARD) return blocks - 1;
  uint64_t step = std::max<uint64_t>(1, uint64_t(double(blocks) * GOLDEN));
  while (std::gcd(step, blocks) > 1) step++;
  return step;
}
}  // namespace

char* shared_end() {
  constexpr size_t PAGES = 256 << 10;
  static char* const end = [] {
    const int how = MAP_PRIVATE | MAP_ANONYMOUS;
    void* p = mmap(nullptr, PAGES + memory::PAGE, PROT_READ | PROT_WRITE, how, -1, 0);
    mprotect(static_cast<char*>(p) + PAGES, memory::PAGE, PROT_NONE);
    return static_cast<char*>(p) + PAGES;
  }();
  return end;
}

Run::Run(const Function& function, const Launch& l, unsigned dynamic, Order order)
    : function(function), launch(l), dynamic(dynamic), order(order), numbers(l.end) {
  std::iota(numbers.begin(), numbers.end(), 0);
  if (order == BACKWARD) std::reverse(numbers.begin(), numbers.end());
  launch.order = order == FORWARD ? nullptr : numbers.data();
  launch.running = &running;
}

Failure Run::once() {
  Fault fault;
  const unsigned before = _mm_getcsr();
  if (function.kernel->flushes) _mm_setcsr(before | SUBNORMALS_ARE_ZERO);
  const auto run_blocks = [](void* run) { static_cast<Run*>(run)->blocks(); };
  const bool stop = faults(run_blocks, this, &fault, launching::seconds);
  _mm_setcsr(before);
  if (stop) return stopped(*this, fault);
  return ended == FINISHED ? NONE : ended_badly(*function.kernel, ended);
}

void Run::blocks() {
  const auto& chosen = launching::chosen;
  const Size3 grid = launch.grid;
  const uint64_t all = uint64_t(grid.x) * grid.y * grid.z;
  const uint64_t n = chosen.empty() ? all : chosen.size(), step = step_of(order, n);
  uint64_t at = order == FORWARD ? 0 : n - 1;
  for (uint64_t i = 0; i < n && ended == FINISHED; i++) {
    block(chosen.empty() ? at : chosen[at]);
    at = (at + step) % n;
  }
}

void Run::block(uint64_t number) {
  const Size3 grid = launch.grid;
  const uint64_t row = number / grid.x;
  launch.at = {unsigned(number % grid.x), unsigned(row % grid.y), unsigned(row / grid.y)};
  if (function.shared) memset(function.shared_at(function.module), memory::FRESH, function.shared);
  emulated_dynamic_shared = shared_end() - (dynamic + 15) / 16 * 16;  // where a vector may begin
  memset(emulated_dynamic_shared, memory::FRESH, size_t(shared_end() - emulated_dynamic_shared));
  uint64_t* const draws = order == RANDOM ? &seed : nullptr;
  if (function.kernel->threads == TOGETHER) {
    ended = run_together(*function.kernel, launch, numbers.data(), draws);
    return;
  }
  if (draws) shuffle(numbers.data(), launch.end, draws);
  function.kernel->run(&launch);
}
