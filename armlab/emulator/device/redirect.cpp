// CUDA's runtime is linked into CuPy's modules: each of its functions is made to jump to ours.
#include <string.h>
#include <sys/mman.h>

#include "device.h"

/// Write a jump over the function at an address; a name is handed over as its first argument.
API int emulated_redirect(unsigned char* at, const void* target, const char* name) {
  unsigned char code[22], *p = code;
  const auto load = [&p](unsigned char register_, const void* value) {  // movabs
    *p++ = 0x48;
    *p++ = register_;
    memcpy(p, &value, 8);
    p += 8;
  };
  if (name) load(0xbf, name);  // rdi
  load(0xb8, target);          // rax
  *p++ = 0xff, *p++ = 0xe0;    // jmp *rax
  const size_t length = size_t(p - code);
  unsigned char* page = at - reinterpret_cast<uintptr_t>(at) % memory::PAGE;
  const size_t span = memory::whole_pages(size_t(at + length - page));
  if (mprotect(page, span, PROT_READ | PROT_WRITE | PROT_EXEC)) return 1;
  memcpy(at, code, length);
  return mprotect(page, span, PROT_READ | PROT_EXEC);
}
