// What a launch and a kernel are: the page that the device and every kernel read.
#pragma once
#include <stddef.h>
#include <stdint.h>

struct Size3 {
  unsigned x, y, z;
};

/// Threads of one block, to be run one after the other.
struct Launch {
  Size3 grid, block, at;  // how many blocks, how many threads in each, which block this is
  unsigned begin, end;    // these threads,
  const unsigned* order;  // which are order[begin] … order[end - 1]; without it begin … end - 1
  void** arguments;       // where each argument lies
  unsigned* running;      // the thread that runs is written here
};

enum Threads {
  ALONE,     // no thread waits for another: each runs to its end
  TOGETHER,  // threads wait for each other at barriers: each is a fibre
  STRIDE,    // all that a thread does is CuPy's grid-stride loop: one thread may do it all
};

struct Parameter {
  unsigned size;     // bytes of the argument
  unsigned pointee;  // bytes of what it points to; 0 where it is no pointer
};

/// What the device knows of a kernel; NVRTC's part exports one, emulated_kernel_NAME.
struct Kernel {
  const char* name;
  const char* declared;  // the parameters as the source declares them, one a line
  Threads threads;
  bool flushes;  // subnormal numbers count as zero
  unsigned parameters;
  const Parameter* parameter;
  void (*run)(const Launch*);
};
