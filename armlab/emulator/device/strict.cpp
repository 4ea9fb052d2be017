// Strict mode: a launch whose result depends on the order of its threads has a race.
#include <string.h>

#include <algorithm>

#include "run.h"

namespace {
const char* const ORDERS[] = {"forward", "backward", "in random order"};

/// All that a kernel may write to: device memory, and what the host has pinned.
struct Contents {
  std::vector<const Allocation*> live = memory::live();
  std::vector<std::vector<char>> bytes;
  Contents() {
    for (const Allocation* a : memory::pinned()) live.push_back(a);
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

/// Whether a run has written to bytes that lie in pages of an allocation and not in it.
Failure written_outside(const Kernel& kernel, void** arguments, const Contents& before) {
  for (size_t i = 0; i < before.live.size(); i++) {
    const Allocation& a = *before.live[i];
    const char* was = before.bytes[i].data();
    const char* end = a.pages + a.length;
    const char* p = std::mismatch<const char*>(a.pages, a.begin, was).first;
    if (p == a.begin) p = std::mismatch<const char*>(a.end(), end, was + (a.end() - a.pages)).first;
    if (p != end)
      return fail(ILLEGAL_ADDRESS, "kernel %s writes %s", kernel.name,
                  place_name(kernel, arguments, p).c_str());
  }
  return NONE;
}
}  // namespace

Failure run_in_three_orders(const Function& function, const Launch& launch, unsigned dynamic) {
  const Contents before;
  if (Failure code = Run(function, launch, dynamic, FORWARD).once()) return code;
  if (Failure code = written_outside(*function.kernel, launch.arguments, before)) return code;
  const Contents after;
  for (Order order : {BACKWARD, RANDOM}) {
    before.put_back();
    if (Failure code = Run(function, launch, dynamic, order).once()) return code;
    if (Failure code = compare(*function.kernel, launch.arguments, after, order)) return code;
  }
  return NONE;
}
