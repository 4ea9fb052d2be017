// What the parts of the device tell each other.
#pragma once
#include <launch.h>

#include <mutex>
#include <string>
#include <vector>

#define VISIBLE __attribute__((visibility("default")))  // cuBLAS is a library of its own
#define API extern "C" VISIBLE

// -- what a kernel calls: see include/warps.h

API void emulated_barrier();
API void emulated_warp_barrier(unsigned mask);
API uint64_t* emulated_slots();
extern "C" [[noreturn]] VISIBLE void emulated_stop(const char* what, int line);
extern "C" VISIBLE char* emulated_dynamic_shared;

// -- failures.cpp: CUDA's codes, each with a sentence of its own

enum Failure : int {  // as cudaError_t and CUresult number them
  NONE = 0,
  INVALID_VALUE = 1,
  OUT_OF_MEMORY = 2,
  INVALID_DEVICE = 101,
  NO_BINARY = 209,
  NOT_FOUND = 500,
  ILLEGAL_ADDRESS = 700,
  LAUNCH_FAILED = 719,
  NOT_SUPPORTED = 801,
};

/// This code, of which CuPy asks the sentence that explains it.
[[gnu::format(printf, 2, 3)]] Failure fail(Failure code, const char* format, ...);
/// A failure that the caller may not look at: the next call of the device returns it too.
void fail_later(Failure code);
/// What an earlier call failed with and nobody was told.
Failure pending();
VISIBLE std::string words(const char* format, ...) __attribute__((format(printf, 1, 2)));

// -- counts.cpp: how often something ran

enum Kind { KERNEL, PRODUCT, COPY, FILL, WAIT };
VISIBLE void count(Kind kind, const char* name, uint64_t size, uint64_t nanoseconds);
VISIBLE uint64_t now();  // in nanoseconds

// -- memory.cpp: allocations between guard pages

struct Allocation {
  char* begin;  // ends up to 15 bytes before its last page does
  size_t size;
  char* pages;
  size_t length;  // of its pages; guard pages lie before and behind them
  char* end() const { return begin + size; }
};

namespace memory {
extern std::recursive_mutex lock;
constexpr size_t PAGE = 4096;
constexpr char FRESH = '\xff';  // what is in memory that nobody wrote: NaN, −1, 255
inline size_t whole_pages(size_t n) { return (n + PAGE - 1) / PAGE * PAGE; }

char* allocate(size_t size);
bool release(void* p);
bool on_device(const void* p);
bool pinned(const void* p);
std::vector<const Allocation*> pinned();
/// The allocation that holds all of these bytes.
const Allocation* holding(const void* p, size_t size);
/// The live allocation between whose guard pages an address lies.
const Allocation* around(const void* p);
/// The same of one that was freed.
const Allocation* freed_around(const void* p);
std::vector<const Allocation*> live();
size_t used();
size_t capacity();
/// In strict mode the host cannot touch device memory unless the device works.
void close_to_host(bool closed);

/// While it lives, the device works: its memory is open, and nobody else works.
struct VISIBLE Open {
  Open();
  ~Open();
};
}  // namespace memory

/// Work of the device that is counted, and not done where it is idle.
struct Work {
  VISIBLE static bool idle;
  Kind kind;
  const char* name;
  uint64_t size, start = now();
  memory::Open open;
  Work(Kind kind, const char* name, uint64_t size) : kind(kind), name(name), size(size) {}
  ~Work() { count(kind, name, size, now() - start); }
};

// -- fibres.cpp: the threads of a block, where they wait for each other

enum BlockEnd { FINISHED, DEADLOCK, SOME_LEFT };

/// Run a block's threads in turns, in an order; drawn anew at each turn where there is a seed.
BlockEnd run_together(const Kernel& kernel, const Launch& launch, unsigned* order, uint64_t* seed);
/// The thread that runs, or ran last.
unsigned running_thread();
void shuffle(unsigned* order, unsigned count, uint64_t* seed);

// -- faults.cpp: signals, and what the compiler has built in to find a mistake

struct Fault {
  char said[256];  // what the kernel itself says is wrong; empty where a signal does
  int signal;
  void* address;
  bool writes;
  bool odd;  // not a place that may not be touched, but an address that cannot be one
};
/// Run this; true where something ended it, as too many seconds do, if they are more than 0.
bool faults(void (*run)(void*), void* argument, Fault* fault, double seconds);

// -- launch.cpp: see run.h as well

namespace launching {
extern bool strict;
extern uint64_t seed;
extern double seconds;                // which a kernel may take at most, if more than 0
extern std::vector<uint64_t> chosen;  // run only these blocks, if there are any
}  // namespace launching

struct Function {
  const Kernel* kernel;
  size_t shared;  // bytes of __shared__ variables in its module
  void* (*shared_at)(size_t module);
  size_t module;                // as the thread-local memory of this library is numbered
  unsigned allowed = 48 << 10;  // bytes of shared memory
};
Failure launch(const Function& function, Size3 grid, Size3 block, unsigned dynamic,
               void** arguments);
