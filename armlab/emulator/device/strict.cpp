// Strict mode: a launch whose result depends on the order of its threads has a race.
#include <string.h>

#include <algorithm>

#include "run.h"

namespace {
const char* const ORDERS[] = {"forward", "backward", "in random order"};

/// All that is in device memory.
struct Contents {
  std::vector<const Allocation*> live = memory::live();
  std::vector<std::vector<char>> bytes;
  Contents() {
    for (const Allocation* a : live) bytes.emplace_back(a->pages, a->pages + a->length);
  }
  void put_back() const {
    for (size_t i = 0; i < live.size(); i++)
      memcpy(live[i]->pages, bytes[i].data(), live[i]->length);
  }
};

/// Whether memory holds what it held after the run before; else which argument has changed.
Failure compare(const Kernel& kernel, void** arguments, const Contents& want, Order order) {
  for (size_t i = 0; i < want.live.size(); i++) {
    const Allocation& a = *want.live[i];
    const char* is = a.pages;
    const char* was = want.bytes[i].data();
    if (!memcmp(is, was, a.length)) continue;
    const auto at = std::mismatch(is, is + a.length, was).first - a.begin;
    return fail(LAUNCH_FAILED,
                "kernel %s gives another result when its threads run %s, first at byte %td of %s: "
                "a barrier is missing, or threads write to one place",
                kernel.name, ORDERS[order], at, argument_into(kernel, arguments, a).c_str());
  }
  return NONE;
}
/// Between its first page and its first byte an allocation has some that nobody may write to.
Failure written_before(const Kernel& kernel, void** arguments) {
  for (const Allocation* a : memory::live()) {
    const auto touched = [](char byte) { return byte != memory::FRESH; };
    const char* first = std::find_if(a->pages, a->begin, touched);
    if (first == a->begin) continue;
    return fail(ILLEGAL_ADDRESS, "kernel %s writes %td bytes before the %zu bytes of %s",
                kernel.name, a->begin - first, a->size,
                argument_into(kernel, arguments, *a).c_str());
  }
  return NONE;
}
}  // namespace

Failure run_in_three_orders(const Function& function, const Launch& launch, unsigned dynamic) {
  const Contents before;
  if (Failure code = Run(function, launch, dynamic, FORWARD).once()) return code;
  if (Failure code = written_before(*function.kernel, launch.arguments)) return code;
  const Contents after;
  for (Order order : {BACKWARD, RANDOM}) {
    before.put_back();
    if (Failure code = Run(function, launch, dynamic, order).once()) return code;
    if (Failure code = compare(*function.kernel, launch.arguments, after, order)) return code;
  }
  return NONE;
}
