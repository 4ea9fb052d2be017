// Faults: a kernel that touches what it may not ends there, and its launch fails with a sentence.
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "device.h"

namespace {
constexpr int SIGNALS[] = {SIGSEGV, SIGBUS, SIGFPE};
constexpr int OVER = 5;  // behind SIGRTMIN: the time of a kernel is over
struct sigaction before[sizeof SIGNALS / sizeof *SIGNALS];
thread_local sigjmp_buf* way_out;
thread_local Fault* found;
void end_of_time(int);

void say(const char* text) {
  if (write(STDERR_FILENO, text, strlen(text)) < 0) return;
}

void handle(int signal, siginfo_t* info, void* context) {
  if (way_out) {
    const auto error = static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_ERR];
    *found = {"", signal, info->si_addr, (error & 2) != 0, info->si_code == SI_KERNEL};
    siglongjmp(*way_out, 1);
  }
  if (signal == SIGSEGV && memory::on_device(info->si_addr))
    say("armlab: the host touches memory of the emulated device: copy it first, as with "
        "array.get()\n");
  for (size_t i = 0; i < sizeof SIGNALS / sizeof *SIGNALS; i++)  // as without us, from here on
    if (SIGNALS[i] == signal) sigaction(signal, &before[i], nullptr);
}

void give_this_thread_a_stack_for_signals() {
  static thread_local bool given = false;
  if (given) return;
  given = true;
  stack_t old;
  if (sigaltstack(nullptr, &old) || !(old.ss_flags & SS_DISABLE)) return;
  stack_t own = {};
  own.ss_size = 64 << 10;
  own.ss_sp = malloc(own.ss_size);
  sigaltstack(&own, nullptr);
}
}  // namespace

API void emulated_handle_signals() {
  struct sigaction ours = {};
  ours.sa_sigaction = handle;
  ours.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
  for (size_t i = 0; i < sizeof SIGNALS / sizeof *SIGNALS; i++)
    sigaction(SIGNALS[i], &ours, &before[i]);
  ours.sa_flags = SA_ONSTACK;
  ours.sa_handler = end_of_time;
  sigaction(SIGRTMIN + OVER, &ours, nullptr);
}

void emulated_stop(const char* what, int line) {
  *found = {};
  const int length = snprintf(found->said, sizeof found->said, "%s", what);
  if (line)
    snprintf(found->said + length, sizeof found->said - size_t(length), " in line %d", line);
  siglongjmp(*way_out, 1);
}

/// What g++ hands over where -fsanitize=bounds finds an index outside of its array.
struct OutOfBounds {
  const char* file;
  unsigned line, column;
  const struct {
    uint16_t kind, info;
    char name[1];  // such as 'float [64]'
  } *array, *index;
};
API void __ubsan_handle_out_of_bounds_abort(const OutOfBounds* at, uint64_t index) {
  emulated_stop(words("takes element %d of %s", int(index), at->array->name).c_str(),
                int(at->line));
}

namespace {
/// While it lives, this thread gets a signal once its seconds are over.
struct Alarm {
  timer_t timer = {};
  bool set = false;
  explicit Alarm(double seconds) {
    if (seconds <= 0) return;
    sigevent event = {};
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = SIGRTMIN + OVER;
    event._sigev_un._tid = gettid();
    set = timer_create(CLOCK_MONOTONIC, &event, &timer) == 0;
    itimerspec when = {};
    when.it_value.tv_sec = time_t(seconds);
    when.it_value.tv_nsec = long((seconds - double(time_t(seconds))) * 1e9);
    if (set) timer_settime(timer, 0, &when, nullptr);
  }
  ~Alarm() {
    if (set) timer_delete(timer);
  }
};

void end_of_time(int) {
  if (way_out) emulated_stop("does not end: a thread waits in a loop for what never comes", 0);
}
}  // namespace

bool faults(void (*run)(void*), void* argument, Fault* fault, double seconds) {
  give_this_thread_a_stack_for_signals();
  const Alarm alarm(seconds);
  sigjmp_buf here;
  found = fault;
  if (sigsetjmp(here, 1)) {
    way_out = nullptr;
    return true;
  }
  way_out = &here;
  run(argument);
  way_out = nullptr;
  return false;
}
