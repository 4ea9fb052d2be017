// How often each kernel, product, copy, fill and wait came, its size in all, and its time.
#include <string.h>
#include <time.h>

#include <map>

#include "device.h"

namespace {
struct Count {
  uint64_t calls, size, nanoseconds;
};
std::map<std::pair<Kind, std::string>, Count> counts;
std::mutex counts_lock;
const char* const KINDS[] = {"kernel", "product", "copy", "fill", "wait"};
}  // namespace

bool Work::idle = false;

uint64_t now() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return uint64_t(t.tv_sec) * 1'000'000'000 + uint64_t(t.tv_nsec);
}

void count(Kind kind, const char* name, uint64_t size, uint64_t nanoseconds) {
  std::lock_guard<std::mutex> guard(counts_lock);
  Count& c = counts[{kind, name}];
  c.calls++;
  c.size += size;
  c.nanoseconds += nanoseconds;
}

/// Lines of "kind calls size nanoseconds name", where there is room for them; how much they need.
API size_t emulated_counts(char* to, size_t room) {
  std::lock_guard<std::mutex> guard(counts_lock);
  std::string all;
  for (const auto& [key, c] : counts) {
    all += words("%s %zu %zu %zu ", KINDS[key.first], size_t(c.calls), size_t(c.size),
                 size_t(c.nanoseconds));
    all += key.second + "\n";
  }
  if (all.size() < room) memcpy(to, all.c_str(), all.size() + 1);
  return all.size() + 1;
}

API void emulated_idle(bool idle) { Work::idle = idle; }
