// SPDX-License-Identifier: Apache-2.0
#include "cuda/compiler.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/error.h"

namespace imatch::cuda {

/// NVRTC's interface as its documentation gives it; 0 is success, and a program is an opaque pointer.
struct Compiler::Functions {
  int (*version)(int* major, int* minor);
  int (*num_capabilities)(int* count);
  int (*capabilities)(int* list);
  int (*create)(void** program, const char* source, const char* name, int num_headers,
                const char* const* headers, const char* const* header_names);
  int (*compile)(void* program, int num_options, const char* const* options);
  int (*log_size)(void* program, std::size_t* size);
  int (*log)(void* program, char* text);
  int (*cubin_size)(void* program, std::size_t* size);
  int (*cubin)(void* program, char* bytes);
  int (*ptx_size)(void* program, std::size_t* size);
  int (*ptx)(void* program, char* bytes);
  int (*destroy)(void** program);
  const char* (*error_string)(int result);
};

namespace {

/// A text that is asked for in two calls, its size first.
std::string text_of(void* program, int (*size_of)(void*, std::size_t*), int (*text)(void*, char*)) {
  std::size_t size = 0;
  if (size_of(program, &size) != 0) return {};
  std::string bytes(size, '\0');
  if (size > 0 && text(program, bytes.data()) != 0) return {};
  return bytes;
}

}  // namespace

std::unique_ptr<const Compiler> Compiler::find(const std::vector<std::string>& folders,
                                               std::string& problem) {
  const std::optional<SharedLibrary> library = SharedLibrary::first_of(places_of("libnvrtc.so", folders));
  if (!library) {
    problem =
        "libnvrtc is not there; it comes with the torch wheel for CUDA, or as the wheel nvidia-cuda-nvrtc";
    return nullptr;
  }
  // NVRTC opens its second part by name when it compiles, and finds it once it is loaded: the wheel of
  // CUDA 13.0 does not say that it lies beside.
  SharedLibrary::first_of(places_of("libnvrtc-builtins.so", {library->folder()}));
  auto f = std::make_shared<Functions>();
  const bool is_whole =
      library->find("nvrtcVersion", f->version) &&
      library->find("nvrtcGetNumSupportedArchs", f->num_capabilities) &&
      library->find("nvrtcGetSupportedArchs", f->capabilities) &&
      library->find("nvrtcCreateProgram", f->create) && library->find("nvrtcCompileProgram", f->compile) &&
      library->find("nvrtcGetProgramLogSize", f->log_size) && library->find("nvrtcGetProgramLog", f->log) &&
      library->find("nvrtcGetCUBINSize", f->cubin_size) && library->find("nvrtcGetCUBIN", f->cubin) &&
      library->find("nvrtcGetPTXSize", f->ptx_size) && library->find("nvrtcGetPTX", f->ptx) &&
      library->find("nvrtcDestroyProgram", f->destroy) &&
      library->find("nvrtcGetErrorString", f->error_string);
  if (!is_whole) {
    problem = "libnvrtc is older than CUDA 11.2";
    return nullptr;
  }
  return std::unique_ptr<const Compiler>(new Compiler(*library, std::move(f)));
}

Compiler::Compiler(SharedLibrary library, std::shared_ptr<const Functions> functions)
    : library_(library), functions_(std::move(functions)) {
  int major = 0, minor = 0, count = 0;
  functions_->version(&major, &minor);
  version_ = fmt::format("{}.{}", major, minor);
  functions_->num_capabilities(&count);
  capabilities_.resize(static_cast<std::size_t>(std::max(0, count)));
  if (!capabilities_.empty()) functions_->capabilities(capabilities_.data());
  std::ranges::sort(capabilities_);
}

std::string Compiler::compile(const std::string& source, int capability,
                              const std::vector<std::string>& options) const {
  const auto above = std::ranges::upper_bound(capabilities_, capability);
  if (above == capabilities_.begin())
    throw Error(fmt::format("NVRTC {} compiles for compute capability {} and above, not for {}", version_,
                            capabilities_.empty() ? 0 : capabilities_.front(), capability));
  const int nearest = *std::prev(above);
  const bool is_exact = nearest == capability;
  std::vector<std::string> all{fmt::format("--gpu-architecture={}_{}", is_exact ? "sm" : "compute", nearest),
                               "--std=c++17"};
  all.insert(all.end(), options.begin(), options.end());
  std::vector<const char*> pointers;
  for (const std::string& option : all) pointers.push_back(option.c_str());

  const Functions& f = *functions_;
  void* program = nullptr;
  int result = f.create(&program, source.c_str(), "kernels.cu", 0, nullptr, nullptr);
  if (result != 0) throw Error(fmt::format("NVRTC {}: {}", version_, f.error_string(result)));
  result = f.compile(program, static_cast<int>(pointers.size()), pointers.data());
  const std::string log = text_of(program, f.log_size, f.log);
  std::string code = is_exact ? text_of(program, f.cubin_size, f.cubin) : text_of(program, f.ptx_size, f.ptx);
  f.destroy(&program);
  if (result != 0 || code.empty())
    throw Error(fmt::format("NVRTC {} for compute capability {}: {}\n{}", version_, capability,
                            f.error_string(result), log.c_str()));
  return code;
}

}  // namespace imatch::cuda
