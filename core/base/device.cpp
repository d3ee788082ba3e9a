// SPDX-License-Identifier: Apache-2.0
#include "base/device.h"

#include <ATen/Context.h>
#include <dlfcn.h>
#include <fmt/format.h>

#include <charconv>

#include "base/error.h"
#include "base/job.h"

namespace imatch {
namespace {

std::string& default_name() {
  static std::string name = "auto";
  return name;
}

int num_gpus() {
  return at::hasCUDA() ? static_cast<int>(at::globalContext().getAcceleratorHooksInterface().deviceCount())
                       : 0;
}

c10::Device parse(const std::string& name) {
  if (name == "cpu") return c10::kCPU;
  const int count = num_gpus();
  if (name == "auto" && count == 0) return c10::kCPU;
  if (count > 0 && (name == "auto" || name == "cuda"))
    return {c10::kCUDA, static_cast<c10::DeviceIndex>(local_rank() % count)};
  int index = 0;
  const bool numbered = name.rfind("cuda:", 0) == 0;
  const char* end = name.data() + name.size();
  if (numbered) {
    const auto [stop, error] = std::from_chars(name.data() + 5, end, index);
    if (error != std::errc() || stop != end || index < 0 || index > 63) index = -1;
  }
  if ((!numbered && name != "cuda") || index < 0)
    throw Error(fmt::format("device: expected 'cpu', 'cuda', 'cuda:N' or 'auto', got '{}'", name));
  if (index >= count)
    throw Failure(code::kNotFound, fmt::format("device: '{}' is not there; LibTorch sees {} GPU{}", name,
                                               count, count == 1 ? "" : "s"));
  return {c10::kCUDA, static_cast<c10::DeviceIndex>(index)};
}

/// float32 means float32: by default cuDNN rounds the factors of convolutions to the 10 bits of TF32.
c10::Device prepared(c10::Device device) {
  if (device.is_cuda()) at::globalContext().setAllowTF32CuDNN(false);
  return device;
}

}  // namespace

void load_cuda_kernels() {
  // Found beside libtorch_cpu.so, by the program's search path. Its constructors register the kernels; the
  // handle is kept.
  ::dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL);
}

void set_default_device(const std::string& name) {
  parse(name);
  default_name() = name;
}

c10::Device resolve_device(const std::string& name) {
  return prepared(parse(name == "auto" ? default_name() : name));
}

}  // namespace imatch
