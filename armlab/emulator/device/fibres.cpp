// The threads of a block where they wait for each other: fibres, each with a stack of its own.
//
// A thread runs until it waits at a barrier or ends, and hands over to the next one that can go on.
// A turn is over when each has had its run. Then barriers open: that of a warp, or of some of its
// lanes, once those of them that have not ended wait there; where there is none, that of the block.
#include <string.h>
#include <sys/mman.h>

#include <algorithm>

#include "device.h"

/// Keep what a function has to keep, and the stack in *from; go on with another stack.
extern "C" void emulated_switch(void** from, void* to);
asm(R"(
.text
.hidden emulated_switch
.globl emulated_switch
.type emulated_switch, @function
emulated_switch:
  push %rbx
  push %rbp
  push %r12
  push %r13
  push %r14
  push %r15
  mov %rsp, (%rdi)
  mov %rsi, %rsp
  pop %r15
  pop %r14
  pop %r13
  pop %r12
  pop %rbp
  pop %rbx
  ret
)");

namespace {
constexpr unsigned MOST = 1024, WARP = 32;
constexpr size_t STACK = 64 << 10, ROOM = STACK + memory::PAGE;  // a guard page lies below
enum State : char { READY, AT_WARP, AT_BLOCK, DONE };

State states[MOST];
unsigned masks[MOST];              // with which lanes of its warp a thread waits
void* stacks[MOST];                // where each thread goes on
void* turn;                        // where `run_together` goes on
const unsigned* order;             // in which the threads have their runs
unsigned threads, place, running;  // of which this is the one at this place
uint64_t slots[MOST];
Launch one;  // a thread's own launch
const Kernel* kernel_running;

/// Go on with the next thread of this turn, or where the turn began.
void hand_over(void** from) {
  while (++place < threads)
    if (states[order[place]] == READY) {
      running = order[place];
      return emulated_switch(from, stacks[running]);
    }
  if (from != &turn) emulated_switch(from, turn);
}

void live() {
  Launch mine = one;
  mine.begin = running;
  mine.end = running + 1;
  kernel_running->run(&mine);
  states[running] = DONE;
  hand_over(&stacks[running]);  // for good
}

char* all_stacks() {
  static char* const all = [] {
    const int how = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    char* p = static_cast<char*>(mmap(nullptr, MOST * ROOM, PROT_READ | PROT_WRITE, how, -1, 0));
    for (unsigned t = 0; t < MOST; t++) mprotect(p + t * ROOM, memory::PAGE, PROT_NONE);
    return p;
  }();
  return all;
}

/// A stack on which emulated_switch finds six registers, and `live` to return to.
void prepare(unsigned t) {
  // Stacks begin at different places of their pages, or all would want the same lines of the cache.
  char* top = all_stacks() + (t + 1) * ROOM - t % 61 * 64;
  void** frame = reinterpret_cast<void**>(top) - 8;
  memset(frame, 0, 8 * sizeof(void*));
  frame[6] = reinterpret_cast<void*>(live);
  stacks[t] = frame;
  states[t] = READY;
}

/// Call for each thread of a warp that is there and in the mask.
template <class Visit>
void each_lane(unsigned warp, unsigned mask, Visit visit) {
  for (unsigned t = warp; mask && t < threads; t++, mask >>= 1)
    if (mask & 1) visit(t);
}

/// Open the barriers of warps at which all wait that are to; whether there was one.
bool open_warps() {
  bool opened = false;
  for (unsigned t = 0; t < threads; t++) {
    if (states[t] != AT_WARP) continue;
    const unsigned warp = t / WARP * WARP, mask = masks[t];
    bool all = true;
    each_lane(warp, mask, [&](unsigned other) {
      const bool here = states[other] == AT_WARP && masks[other] == mask;
      all = all && (here || states[other] == DONE);
    });
    if (!all) continue;
    each_lane(warp, mask, [](unsigned other) {
      if (states[other] == AT_WARP) states[other] = READY;
    });
    opened = true;
  }
  return opened;
}
}  // namespace

API void emulated_barrier() {
  states[running] = AT_BLOCK;
  hand_over(&stacks[running]);
}
API void emulated_warp_barrier(unsigned mask) {
  states[running] = AT_WARP;
  masks[running] = mask;
  hand_over(&stacks[running]);
}
API uint64_t* emulated_slots() { return slots; }
unsigned running_thread() { return running; }

void shuffle(unsigned* order, unsigned count, uint64_t* seed) {
  for (unsigned left = count; left > 1; left--) {
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;  // Knuth's linear congruence
    std::swap(order[left - 1], order[(*seed >> 33) % left]);
  }
}

BlockEnd run_together(const Kernel& kernel, const Launch& launch, unsigned* numbers,
                      uint64_t* seed) {
  kernel_running = &kernel;
  one = launch;
  one.order = nullptr;
  order = numbers;
  threads = launch.end;
  State* const end = states + threads;
  memset(slots, 0xff, sizeof slots);
  for (unsigned t = 0; t < threads; t++) prepare(t);
  for (;;) {
    if (seed) shuffle(numbers, threads, seed);
    place = ~0u;
    hand_over(&turn);
    const auto done = std::count(states, end, DONE), waiting = std::count(states, end, AT_BLOCK);
    if (done == threads) return FINISHED;
    if (open_warps()) continue;
    if (done + waiting < threads) return DEADLOCK;
    if (done && launching::strict) return SOME_LEFT;
    std::replace(states, end, AT_BLOCK, READY);
  }
}
