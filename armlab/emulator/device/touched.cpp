// Numbers that kernels read of the device's memory and write there: see include/counted.h.
#include <algorithm>
#include <unordered_set>

#include "device.h"

namespace {
struct Touched {
  uint64_t times;
  std::unordered_set<const void*> places;
};
Touched touched[2];  // read, written

/// What a thread has just read is in a register: the same expression may name it again.
struct Registers {
  unsigned thread;
  const void* places[4];
  unsigned next;
  bool have(const void* at) {
    if (thread != running_thread()) *this = {running_thread(), {}, 0};
    if (std::count(places, places + 4, at)) return true;
    places[next++ % 4] = at;
    return false;
  }
} registers;
}  // namespace

API void emulated_touch(const void* at, size_t, bool writes) {
  if (!memory::on_device(at)) return;
  if (writes) registers = {};
  else if (registers.have(at)) return;
  touched[writes].times++;
  touched[writes].places.insert(at);
}

/// How often numbers were read, how many numbers these were, the same of those written; from then
/// on it begins at 0.
API void emulated_touched(uint64_t* to) {
  registers = {};
  for (Touched& t : touched) {
    *to++ = t.times;
    *to++ = t.places.size();
    t = {};
  }
}
