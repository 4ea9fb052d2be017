// NVRTC's calls. The compiler behind them is compiler.py.
#include <string.h>

#include <algorithm>

#include "device.h"

API int cudaRuntimeGetVersion(int* version);

namespace {
struct Program {
  std::string source, log, code;
  std::vector<std::string> names, symbols;  // of kernels, as C++ knows them and as we export them
};
enum { SUCCESS = 0, COMPILATION = 6, NAME_NOT_VALID = 10 };

typedef void Compiler(Program*, const char* source, const char* options, const char* names);
Compiler* compiler;

std::string lines(const std::vector<std::string>& all) {
  std::string text;
  for (const std::string& line : all) text += line + "\n";
  return text;
}
int copied(const std::string& text, char* to) {
  return memcpy(to, text.c_str(), text.size() + 1), SUCCESS;
}
}  // namespace

API void emulated_set_compiler(Compiler* function) { compiler = function; }
API void emulated_compiled(Program* program, const char* code, size_t size, const char* log) {
  program->code.assign(code, size);
  program->log = log;
}

API int nvrtcVersion(int* major, int* minor) {
  int version;
  cudaRuntimeGetVersion(&version);
  return *major = version / 1000, *minor = version % 1000 / 10, SUCCESS;
}
API const char* nvrtcGetErrorString(int code) {
  return code == SUCCESS       ? "NVRTC_SUCCESS"
         : code == COMPILATION ? "NVRTC_ERROR_COMPILATION"
                               : "NVRTC_ERROR_NAME_EXPRESSION_NOT_VALID";
}
API int nvrtcCreateProgram(Program** program, const char* source, const char*, int, const char**,
                           const char**) {
  return *program = new Program{source, "", "", {}, {}}, SUCCESS;
}
API int nvrtcDestroyProgram(Program** program) { return delete *program, SUCCESS; }
API int nvrtcAddNameExpression(Program* program, const char* name) {
  program->symbols.push_back("name_" + std::to_string(program->names.size()));
  program->names.push_back(name);
  return SUCCESS;
}
API int nvrtcGetLoweredName(Program* program, const char* name, const char** symbol) {
  const auto& names = program->names;
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) return NAME_NOT_VALID;
  return *symbol = program->symbols[size_t(found - names.begin())].c_str(), SUCCESS;
}
API int nvrtcCompileProgram(Program* program, int count, const char** options) {
  const std::vector<std::string> given(options, options + count);
  compiler(program, program->source.c_str(), lines(given).c_str(), lines(program->names).c_str());
  return program->code.empty() ? COMPILATION : SUCCESS;
}
API int nvrtcGetCUBINSize(Program* program, size_t* size) {
  return *size = program->code.size(), SUCCESS;
}
API int nvrtcGetCUBIN(Program* program, char* to) {
  return memcpy(to, program->code.data(), program->code.size()), SUCCESS;
}
API int nvrtcGetPTXSize(Program* program, size_t* size) {
  return *size = program->code.size() + 1, SUCCESS;
}
API int nvrtcGetPTX(Program* program, char* to) { return copied(program->code, to); }
API int nvrtcGetProgramLogSize(Program* program, size_t* size) {
  return *size = program->log.size() + 1, SUCCESS;
}
API int nvrtcGetProgramLog(Program* program, char* to) { return copied(program->log, to); }
