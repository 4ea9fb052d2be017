// One run of all blocks of a launch, in an order; and what there is to say when it stops.
#pragma once
#include "device.h"

enum Order { FORWARD, BACKWARD, RANDOM };

struct Run {
  const Function& function;
  Launch launch;
  unsigned dynamic;  // bytes of dynamic shared memory
  Order order;
  BlockEnd ended = FINISHED;
  std::vector<unsigned> numbers;  // of a block's threads, in the order of their runs
  unsigned running = 0;
  uint64_t seed = launching::seed * 2 + 1;

  Run(const Function& function, const Launch& launch, unsigned dynamic, Order order);
  /// Run all blocks, or those that were chosen. A kernel that stops, stops here, with a sentence.
  Failure once();

 private:
  void blocks();
  void block(uint64_t number);
};

/// Where the dynamic shared memory of every block ends, and a guard page begins.
char* shared_end();

// -- sentences.cpp

/// "argument 2 (const float* x)", of a kernel's argument 1.
std::string argument_name(const Kernel& kernel, unsigned i);
/// The same of the first argument that points into an allocation.
std::string argument_into(const Kernel& kernel, void** arguments, const Allocation& a);
/// Where an address lies, seen from the allocation next to it.
std::string place_name(const Kernel& kernel, void** arguments, const char* p);
Failure stopped(const Run& run, const Fault& fault);
Failure ended_badly(const Kernel& kernel, BlockEnd ended);

// -- strict.cpp

/// Run it forward, backward and in random order, from the same memory to the same bits.
Failure run_in_three_orders(const Function& function, const Launch& launch, unsigned dynamic);
