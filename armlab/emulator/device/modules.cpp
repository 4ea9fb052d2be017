// Modules: what NVRTC's part made is a library of the host, which is loaded from a file of its own.
#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "device.h"

API int emulated_missing(const char* name);

namespace {
constexpr char MARK[] = "EMULATED";

struct Image {
  char mark[8];
  uint64_t size;
  char library[];
};

/// A library that is loaded, and the memory of its __shared__ variables, one for each host thread.
struct Module {
  void* library;
  size_t shared = 0, number = 0;
};

int note_shared_memory(dl_phdr_info* info, size_t, void* to) {
  auto [module, base] = *static_cast<std::pair<Module*, ElfW(Addr)>*>(to);
  if (info->dlpi_addr != base) return 0;
  for (int i = 0; i < info->dlpi_phnum; i++)
    if (info->dlpi_phdr[i].p_type == PT_TLS) module->shared = info->dlpi_phdr[i].p_memsz;
  module->number = info->dlpi_tls_modid;
  return 1;
}

struct Index {
  size_t module, offset;
};
extern "C" void* __tls_get_addr(Index*);
void* shared_at(size_t module) {
  Index start = {module, 0};
  return __tls_get_addr(&start);
}

/// The bytes as a file that the loader has never seen: it knows libraries by their name.
std::string written(const Image& image) {
  const char* folder = getenv("TMPDIR");
  std::string path = std::string(folder && *folder ? folder : "/tmp") + "/emulated_kernel_XXXXXX";
  const int file = mkstemp(path.data());
  if (file < 0) return "";
  const bool whole = write(file, image.library, image.size) == ssize_t(image.size);
  close(file);
  if (!whole) unlink(path.c_str());
  return whole ? path : "";
}
}  // namespace

API int cuModuleLoadData(Module** to, const Image* image) {
  if (memcmp(image->mark, MARK, 8))
    return fail(NO_BINARY, "a kernel that was compiled for a card cannot run");
  const std::string path = written(*image);
  if (path.empty())
    return fail(NO_BINARY, "a kernel cannot be written to the folder of temporary files");
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  unlink(path.c_str());
  if (!library) return fail(NO_BINARY, "a kernel cannot be loaded: %s", dlerror());
  link_map* map;
  dlinfo(library, RTLD_DI_LINKMAP, &map);
  *to = new Module{library};
  std::pair<Module*, ElfW(Addr)> wanted = {*to, map->l_addr};
  dl_iterate_phdr(note_shared_memory, &wanted);
  return NONE;
}
API int cuModuleUnload(Module* module) {
  dlclose(module->library);
  delete module;
  return NONE;
}
API int cuModuleGetFunction(Function** to, Module* module, const char* name) {
  void* found = dlsym(module->library, (std::string("emulated_kernel_") + name).c_str());
  if (!found)
    return fail(NOT_FOUND, "there is no kernel %s: declare it  extern \"C\" __global__ void %s(…)",
                name, name);
  *to = new Function{static_cast<const Kernel*>(found), module->shared, shared_at, module->number};
  return NONE;
}
API int cuLaunchKernel(Function* f, unsigned grid_x, unsigned grid_y, unsigned grid_z,
                       unsigned block_x, unsigned block_y, unsigned block_z, unsigned dynamic,
                       void*, void** arguments, void**) {
  if (Failure earlier = pending()) return earlier;
  return launch(*f, {grid_x, grid_y, grid_z}, {block_x, block_y, block_z}, dynamic, arguments);
}

API int cuFuncGetAttribute(int* value, int which, Function* f) {
  switch (which) {
    case 0: *value = 1024; break;  // threads of a block
    case 1: *value = int(f->shared); break;
    case 8: *value = int(f->allowed - f->shared); break;  // dynamic shared memory
    default: *value = 0;
  }
  return NONE;
}
API int cuFuncSetAttribute(Function* f, int which, int value) {
  constexpr int DYNAMIC_SHARED = 8, MOST = 227 << 10;
  if (which != DYNAMIC_SHARED) return NONE;  // a preference
  if (value < 0 || value + int(f->shared) > MOST)
    return fail(INVALID_VALUE, "kernel %s asks for %d bytes of dynamic shared memory: at most %d",
                f->kernel->name, value, MOST - int(f->shared));
  f->allowed = unsigned(value) + unsigned(f->shared);
  return NONE;
}
API int cuOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, Function*, int, size_t) {
  return *blocks = 1, NONE;
}
API int cuOccupancyMaxPotentialBlockSize(int* grid, int* block, Function*, void*, size_t, int) {
  return *grid = 8, *block = 256, NONE;
}

// What CuPy looks up: of a function that it does not find, it would not say the name.
#define ABSENT(name) \
  API int name() { return emulated_missing(#name); }
ABSENT(cuCtxCreate_v2)
ABSENT(cuCtxDestroy_v2)
ABSENT(cuLaunchCooperativeKernel)
ABSENT(cuLinkAddData_v2)
ABSENT(cuLinkAddFile_v2)
ABSENT(cuLinkComplete)
ABSENT(cuLinkCreate_v2)
ABSENT(cuLinkDestroy)
ABSENT(cuModuleGetGlobal_v2)
ABSENT(cuModuleLoad)
