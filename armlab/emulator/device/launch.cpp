// A launch: its blocks one after the other, and in strict mode all of it in three orders.
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <xmmintrin.h>

#include <algorithm>
#include <numeric>

#include "device.h"

namespace launching {
bool strict = false;
uint64_t seed = 0;
std::vector<uint64_t> chosen;
}  // namespace launching

extern "C" __attribute__((visibility("default"))) char* emulated_dynamic_shared;
char* emulated_dynamic_shared;

namespace {
using launching::chosen;
using launching::strict;

constexpr unsigned MOST_THREADS = 1024, MOST_SHARED = 227 << 10, SHARED_PAGES = 256 << 10;
constexpr unsigned SUBNORMALS_ARE_ZERO = 0x8040;
enum Order { FORWARD, BACKWARD, RANDOM };
const char* const ORDERS[] = {"forward", "backward", "in random order"};

/// Memory that ends at a guard page, for `extern __shared__`.
char* shared_end() {
  static char* const end = [] {
    const size_t all = SHARED_PAGES + memory::PAGE;
    void* p = mmap(nullptr, all, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char* pages = static_cast<char*>(p);
    mprotect(pages + SHARED_PAGES, memory::PAGE, PROT_NONE);
    return pages + SHARED_PAGES;
  }();
  return end;
}

/// One run of all blocks of a launch.
struct Run {
  const Function& function;
  Launch launch;
  unsigned dynamic;
  Order order;
  BlockEnd ended = FINISHED;
  unsigned numbers[MOST_THREADS], running = 0;
  uint64_t seed = launching::seed * 2 + 1;

  Run(const Function& function, Launch launch, unsigned dynamic, Order order)
      : function(function), launch(launch), dynamic(dynamic), order(order) {
    std::iota(numbers, numbers + launch.end, 0);
    this->launch.running = &running;
    if (order == BACKWARD) std::reverse(numbers, numbers + launch.end);
  }
  uint64_t blocks() const { return uint64_t(launch.grid.x) * launch.grid.y * launch.grid.z; }

  void all() {
    const uint64_t n = chosen.empty() ? blocks() : chosen.size();
    // A step that shares no divisor with n leads to every block once.
    uint64_t step = order == FORWARD ? 1 : n - 1;
    if (order == RANDOM)
      for (step = std::max<uint64_t>(1, n * 0.618); std::gcd(step, n) > 1;) step++;
    uint64_t at = order == FORWARD ? 0 : n - 1;
    for (uint64_t i = 0; i < n && ended == FINISHED; i++) {
      block(chosen.empty() ? at : chosen[at]);
      at = (at + step) % n;
    }
  }

  void block(uint64_t n) {
    const Size3 grid = launch.grid;
    const uint64_t row = n / grid.x;
    launch.at = {unsigned(n % grid.x), unsigned(row % grid.y), unsigned(row / grid.y)};
    if (function.shared) memset(function.shared_at(function.module), 0xff, function.shared);
    if (dynamic) memset(emulated_dynamic_shared, 0xff, dynamic);
    uint64_t* const draws = order == RANDOM ? &seed : nullptr;
    if (function.kernel->threads == TOGETHER) {
      ended = run_together(*function.kernel, launch, numbers, draws);
      return;
    }
    if (draws) shuffle(numbers, launch.end, draws);
    launch.order = order == FORWARD ? nullptr : numbers;
    function.kernel->run(&launch);
  }
};

// -- what is wrong, in a sentence

/// "kernel blur, argument 2 (const float* x)"
std::string argument(const Kernel& kernel, unsigned i) {
  const char* declared = kernel.declared;
  for (unsigned k = 0; k < i && *declared; k++) {
    const char* end = strchr(declared, '\n');
    declared = end ? end + 1 : "";
  }
  const int length = int(strcspn(declared, "\n"));
  return words("argument %u (%.*s)", i + 1, length, declared);
}

/// The first argument that points into an allocation, in words; empty where none does.
std::string pointing(const Function& function, void** arguments, const Allocation& a) {
  const Kernel& kernel = *function.kernel;
  for (unsigned i = 0; i < kernel.parameters; i++) {
    for (size_t at = 0; at + 8 <= kernel.parameter[i].size; at += 8) {
      char* p;
      memcpy(&p, static_cast<char*>(arguments[i]) + at, 8);
      if (p >= a.begin && p <= a.end()) return argument(kernel, i);
    }
  }
  return "";
}

std::string where(const Function& function, void** arguments, const char* p) {
  const Allocation* a = memory::around(p);
  const char* freed = "";
  if (!a && (a = memory::freed_around(p))) freed = "freed ";
  if (!a) {
    if (p >= shared_end() && p < shared_end() + memory::PAGE)
      return "behind its dynamic shared memory";
    if (memory::on_device(p)) return "outside of every allocation";
    return words("at %p, which is not memory of the device", p);
  }
  std::string name = pointing(function, arguments, *a);
  if (name.empty()) name = "memory that no argument points to";
  const bool behind = p >= a->end();
  const size_t distance = size_t(behind ? p - a->end() : a->begin - p);
  if (*freed && !behind && p >= a->begin) return name + ", which was freed";
  return words("%zu bytes %s the %s%zu bytes of ", distance, behind ? "behind the end of" : "before",
               freed, a->size) + name;
}

Failure stopped(const Run& run, const Fault& fault) {
  const Kernel& kernel = *run.function.kernel;
  const char* name = kernel.name;
  const Size3 b = run.launch.at, block = run.launch.block;
  const unsigned t = kernel.threads == TOGETHER ? running_thread() : run.running, row = t / block.x;
  if (fault.signal == SIGFPE) return fail(LAUNCH_FAILED, "kernel %s divides an integer by zero", name);
  const char* what = fault.writes ? "writes" : "reads";
  const char* address = static_cast<char*>(fault.address);
  const std::string place = where(run.function, run.launch.arguments, address);
  return fail(ILLEGAL_ADDRESS, "kernel %s %s %s: thread (%u, %u, %u) of block (%u, %u, %u)", name, what,
              place.c_str(), t % block.x, row % block.y, row / block.y, b.x, b.y, b.z);
}

Failure ended_badly(const char* name, BlockEnd ended) {
  if (ended == DEADLOCK)
    return fail(LAUNCH_FAILED, "kernel %s hangs: threads of a block wait at different barriers", name);
  return fail(LAUNCH_FAILED,
              "kernel %s has a barrier that only some threads of a block reach: others have ended", name);
}

Failure run_once(Run& run) {
  Fault fault;
  const bool flushes = run.function.kernel->flushes;
  const unsigned before = _mm_getcsr();
  if (flushes) _mm_setcsr(before | SUBNORMALS_ARE_ZERO);
  const bool stop = faults([](void* r) { static_cast<Run*>(r)->all(); }, &run, &fault);
  _mm_setcsr(before);
  if (stop) return stopped(run, fault);
  return run.ended == FINISHED ? NONE : ended_badly(run.function.kernel->name, run.ended);
}

// -- strict mode

/// All that is in device memory.
struct Contents {
  std::vector<const Allocation*> live = memory::live();
  std::vector<std::vector<char>> bytes;
  Contents() {
    for (const Allocation* a : live) bytes.emplace_back(a->pages, a->pages + a->length);
  }
  void put_back() const {
    for (size_t i = 0; i < live.size(); i++) memcpy(live[i]->pages, bytes[i].data(), live[i]->length);
  }
};

/// Whether memory holds what it held after the run before; else which argument has changed.
Failure compare(const Function& function, void** arguments, const Contents& want, Order order) {
  for (size_t i = 0; i < want.live.size(); i++) {
    const Allocation& a = *want.live[i];
    const char* is = a.pages;
    const char* was = want.bytes[i].data();
    if (!memcmp(is, was, a.length)) continue;
    const auto at = std::mismatch(is, is + a.length, was).first - a.begin;
    const std::string name = pointing(function, arguments, a);
    return fail(LAUNCH_FAILED,
                "kernel %s gives another result when its threads run %s, first at byte %td of %s: "
                "a barrier is missing, or threads write to one place",
                function.kernel->name, ORDERS[order], at, name.c_str());
  }
  return NONE;
}

Failure run_in_three_orders(const Function& function, const Launch& launch, unsigned dynamic) {
  const Contents before;
  Run first(function, launch, dynamic, FORWARD);
  if (Failure code = run_once(first)) return code;
  const Contents after;
  for (Order order : {BACKWARD, RANDOM}) {
    before.put_back();
    Run again(function, launch, dynamic, order);
    if (Failure code = run_once(again)) return code;
    if (Failure code = compare(function, launch.arguments, after, order)) return code;
  }
  return NONE;
}

// -- before it runs

Failure too_large(const Function& function, Size3 grid, Size3 block, unsigned dynamic) {
  const char* name = function.kernel->name;
  const uint64_t threads = uint64_t(block.x) * block.y * block.z;
  const uint64_t blocks = uint64_t(grid.x) * grid.y * grid.z;
  if (threads > MOST_THREADS || block.z > 64)
    return fail(INVALID_VALUE, "kernel %s is launched with %u × %u × %u threads in a block: at most "
                "1,024, and 64 in z", name, block.x, block.y, block.z);
  if (!threads || !blocks)
    return fail(INVALID_VALUE, "kernel %s is launched with %u × %u × %u blocks of %u × %u × %u threads: "
                "at least 1", name, grid.x, grid.y, grid.z, block.x, block.y, block.z);
  if (grid.x > 0x7fffffff || grid.y > 65535 || grid.z > 65535)
    return fail(INVALID_VALUE, "kernel %s is launched with %u × %u × %u blocks: at most 2,147,483,647 in "
                "x, and 65,535 in y and z", name, grid.x, grid.y, grid.z);
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
    return fail(ILLEGAL_ADDRESS, "kernel %s gets an address of the host, %p, as %s: hand over an array "
                "of the device", kernel.name, p, argument(kernel, i).c_str());
  }
  return NONE;
}
}  // namespace

Failure launch(const Function& function, Size3 grid, Size3 block, unsigned dynamic, void** arguments) {
  const Kernel& kernel = *function.kernel;
  const unsigned threads = block.x * block.y * block.z;
  if (Failure code = too_large(function, grid, block, dynamic)) return code;
  if (Failure code = from_the_host(kernel, arguments)) return code;
  Work work(KERNEL, kernel.name, uint64_t(grid.x) * grid.y * grid.z * threads);
  emulated_dynamic_shared = shared_end() - dynamic;
  Launch launch = {grid, block, {0, 0, 0}, 0, threads, nullptr, arguments, nullptr};
  if (strict && chosen.empty()) return run_in_three_orders(function, launch, dynamic);
  if (kernel.threads == STRIDE && !strict && chosen.empty()) {
    launch.grid = launch.block = {1, 1, 1};
    launch.end = 1;
  }
  Run run(function, launch, dynamic, FORWARD);
  return run_once(run);
}

API void emulated_strict(bool strict, uint64_t seed) {
  launching::strict = strict;
  launching::seed = seed;
  memory::close_to_host(strict);
}
API void emulated_choose_blocks(const uint64_t* blocks, size_t count) {
  chosen.assign(blocks, blocks + count);
}
