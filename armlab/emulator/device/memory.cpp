// Device memory: one range of addresses, reserved once, in which allocations lie between guards.
//
//     | guard page | … slack | allocation | guard page | …
//
// An allocation ends where its last page ends, so that the first byte behind it is out of bounds.
// Kernels may read sixteen bytes at once: it begins at a multiple of that, and up to 15 bytes
// behind it are slack as well, in which strict.cpp sees that a kernel has written. Addresses are
// given out in turn and used again only once all have been, so that memory which was freed stays
// out of bounds. New memory is filled with 0xff: NaN, −1, 255.
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <deque>
#include <map>

#include "device.h"

namespace memory {
std::recursive_mutex lock;

namespace {
constexpr size_t CAPACITY = size_t(64) << 30;  // of addresses; memory is taken when it is touched
constexpr size_t BY_HAND = size_t(64) << 20;   // what is larger is filled when it is touched
constexpr size_t PATTERN = size_t(16) << 20;
constexpr size_t REMEMBERED = 1000;  // allocations that were freed
constexpr int SHARING = MAP_PRIVATE | MAP_NORESERVE;

std::map<char*, Allocation> taken;  // by where their pages begin
std::deque<Allocation> freed;
size_t bytes_used;
bool closed;
int working;

char* reserve(char* at, size_t length) {
  const int how = SHARING | MAP_ANONYMOUS | (at ? MAP_FIXED : 0);
  void* p = mmap(at, length, PROT_NONE, how, -1, 0);
  return p == MAP_FAILED ? nullptr : static_cast<char*>(p);
}

struct Range {
  size_t length = CAPACITY;
  char* base = nullptr;
  char* next;
  Range() {
    while (!(base = reserve(nullptr, length))) length /= 2;
    next = base;
  }
};
Range& range() {
  static Range all;
  return all;
}

/// A file of the pattern, of which a mapping is a copy once it is written to.
int pattern() {
  static const int file = [] {
    int fd = memfd_create("emulated device", 0);
    std::vector<char> bytes(PATTERN, FRESH);
    return write(fd, bytes.data(), bytes.size()) == ssize_t(PATTERN) ? fd : -1;
  }();
  return file;
}

/// Fill what lies around an allocation with NaN of its own: what is copied there is seen.
void mark_slack(const Allocation& a) {
  static uint32_t number = 0;
  number = number % 0x7ffff + 1;
  const uint32_t nan = 0xfff00000 | number;
  const auto mark = [nan](char* from, char* to) {
    for (char* p = from; p < to; p++)
      *p = char(nan >> (8 * (reinterpret_cast<uintptr_t>(p) % sizeof nan)));
  };
  mark(a.pages, a.begin);
  mark(a.end(), a.pages + a.length);
}

/// Where so many bytes are free from an address on, up to the end of the range.
char* gap(char* from, size_t length) {
  auto after = taken.lower_bound(from);
  if (after != taken.begin()) {
    const Allocation& before = std::prev(after)->second;
    from = std::max(from, before.pages + before.length + PAGE);
  }
  for (; after != taken.end(); ++after) {
    if (from + length <= after->second.pages - PAGE) return from;
    from = after->second.pages + after->second.length + PAGE;
  }
  return from + length <= range().base + range().length ? from : nullptr;
}

bool usable(const Allocation& a) {
  if (a.length <= BY_HAND) {
    if (mprotect(a.pages, a.length, PROT_READ | PROT_WRITE)) return false;
    memset(a.pages, FRESH, a.length);
    return true;
  }
  for (size_t done = 0; done < a.length; done += PATTERN) {
    const size_t part = std::min(PATTERN, a.length - done);
    void* p = mmap(a.pages + done, part, PROT_READ | PROT_WRITE, SHARING | MAP_FIXED, pattern(), 0);
    if (p == MAP_FAILED) return false;
  }
  return true;
}

void set_rights() {
  const int rights = closed && !working ? PROT_NONE : PROT_READ | PROT_WRITE;
  for (auto& [_, a] : taken) mprotect(a.pages, a.length, rights);
}

const Allocation* nearest(const std::map<char*, Allocation>& all, const char* p) {
  auto after = all.upper_bound(const_cast<char*>(p) + PAGE);
  return after == all.begin() ? nullptr : &std::prev(after)->second;
}
bool between_guards(const Allocation& a, const char* p) {
  return p >= a.pages - PAGE && p < a.pages + a.length + PAGE;
}
}  // namespace

char* allocate(size_t size) {
  Open open;
  size_t aligned = 1;  // no vector is larger than the allocation
  while (aligned < 16 && 2 * aligned <= size) aligned *= 2;
  const size_t length = whole_pages(std::max<size_t>(size, 1));
  char* at = gap(range().next, length + 2 * PAGE);
  if (!at && !(at = gap(range().base, length + 2 * PAGE))) return nullptr;
  char* pages = at + PAGE;
  const size_t all = (size + aligned - 1) / aligned * aligned;
  const Allocation a = {pages + length - all, size, pages, length};
  if (!usable(a)) return nullptr;
  mark_slack(a);
  taken[pages] = a;
  bytes_used += length;
  range().next = pages + length;
  return size ? a.begin : pages;
}

bool release(void* p) {
  Open open;
  const Allocation* found = around(p);
  if (!found || (found->size ? found->begin : found->pages) != p) return false;
  const Allocation a = *found;
  taken.erase(a.pages);
  reserve(a.pages, a.length);
  bytes_used -= a.length;
  freed.push_front(a);
  if (freed.size() > REMEMBERED) freed.pop_back();
  return true;
}

bool on_device(const void* p) {
  const char* at = static_cast<const char*>(p);
  return at >= range().base && at < range().base + range().length;
}

const Allocation* holding(const void* p, size_t size) {
  const char* at = static_cast<const char*>(p);
  const Allocation* a = around(p);
  return a && at >= a->begin && at + size <= a->end() ? a : nullptr;
}

const Allocation* around(const void* p) {
  const char* at = static_cast<const char*>(p);
  const Allocation* a = nearest(taken, at);
  return a && between_guards(*a, at) ? a : nullptr;
}

const Allocation* freed_around(const void* p) {
  for (const Allocation& a : freed)
    if (between_guards(a, static_cast<const char*>(p))) return &a;
  return nullptr;
}

std::vector<const Allocation*> live() {
  std::vector<const Allocation*> all;
  for (const auto& [_, a] : taken) all.push_back(&a);
  return all;
}

size_t used() { return bytes_used; }
size_t capacity() { return range().length; }

void close_to_host(bool value) {
  std::lock_guard<std::recursive_mutex> guard(lock);
  closed = value;
  set_rights();
}

Open::Open() {
  lock.lock();
  if (working++ == 0 && closed) set_rights();
}
Open::~Open() {
  if (--working == 0 && closed) set_rights();
  lock.unlock();
}
}  // namespace memory
