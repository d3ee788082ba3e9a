// SPDX-License-Identifier: Apache-2.0
#include "cuda/driver.h"

#include <fmt/format.h>

#include <array>
#include <optional>
#include <utility>

#include "base/error.h"
#include "cuda/shared_library.h"

namespace imatch::cuda {

/// The driver's interface as its documentation gives it: 0 is success; contexts, modules, functions and
/// streams are opaque pointers, devices numbers.
struct DriverDevice::Functions {
  int (*init)(unsigned flags);
  int (*device)(int* device, int index);
  int (*attribute)(int* value, int attribute, int device);
  int (*name)(char* text, int size, int device);
  int (*retain)(void** context, int device);
  int (*push)(void* context);
  int (*pop)(void** context);
  int (*load)(void** module, const void* image);
  int (*function)(void** function, void* module, const char* name);
  int (*launch)(void* function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x,
                unsigned block_y, unsigned block_z, unsigned shared_bytes, void* stream, void** parameters,
                void** extra);
  int (*memory)(std::size_t* free, std::size_t* total);
  int (*error_string)(int error, const char** text);

  /// "" for success.
  std::string problem(int result) const {
    const char* text = nullptr;
    if (result == 0) return {};
    if (error_string(result, &text) != 0 || !text) return fmt::format("error {}", result);
    return text;
  }
};

namespace {

/// CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR and _MINOR.
constexpr int kMajor = 75, kMinor = 76;

}  // namespace

/// Makes the device's context the thread's for a scope.
class DriverDevice::Current {
 public:
  explicit Current(const DriverDevice& device) : functions_(*device.functions_) {
    if (const int result = functions_.push(device.context_); result != 0)
      throw Error("CUDA's driver: no context: " + functions_.problem(result));
  }
  ~Current() {
    void* popped = nullptr;
    functions_.pop(&popped);
  }
  Current(const Current&) = delete;
  Current& operator=(const Current&) = delete;

 private:
  const Functions& functions_;
};

std::unique_ptr<const DriverDevice> DriverDevice::open(int index, std::string& problem) {
  const std::optional<SharedLibrary> library = SharedLibrary::first_of({"libcuda.so.1", "libcuda.so"});
  if (!library) {
    problem = "libcuda is not there: no NVIDIA driver";
    return nullptr;
  }
  auto f = std::make_shared<Functions>();
  const bool is_whole =
      library->find("cuInit", f->init) && library->find("cuDeviceGet", f->device) &&
      library->find("cuDeviceGetAttribute", f->attribute) && library->find("cuDeviceGetName", f->name) &&
      library->find("cuDevicePrimaryCtxRetain", f->retain) && library->find("cuCtxPushCurrent_v2", f->push) &&
      library->find("cuCtxPopCurrent_v2", f->pop) && library->find("cuModuleLoadData", f->load) &&
      library->find("cuModuleGetFunction", f->function) && library->find("cuLaunchKernel", f->launch) &&
      library->find("cuMemGetInfo_v2", f->memory) && library->find("cuGetErrorString", f->error_string);
  if (!is_whole) {
    problem = "libcuda lacks functions of CUDA 7";
    return nullptr;
  }
  int device = 0, major = 0, minor = 0;
  void* context = nullptr;
  std::array<char, 256> name{};
  int result = f->init(0);
  if (result == 0) result = f->device(&device, index);
  if (result == 0) result = f->attribute(&major, kMajor, device);
  if (result == 0) result = f->attribute(&minor, kMinor, device);
  if (result == 0) result = f->name(name.data(), static_cast<int>(name.size()) - 1, device);
  if (result == 0) result = f->retain(&context, device);
  if (result != 0) {
    problem = fmt::format("CUDA's driver, GPU {}: {}", index, f->problem(result));
    return nullptr;
  }
  return std::unique_ptr<const DriverDevice>(
      new DriverDevice(std::move(f), context, 10 * major + minor, name.data()));
}

void* DriverDevice::load(const std::string& code) const {
  const Current current(*this);
  void* module = nullptr;
  if (const int result = functions_->load(&module, code.data()); result != 0)
    throw Error("CUDA's driver: kernels are not loaded: " + functions_->problem(result));
  return module;
}

DriverDevice::Function DriverDevice::function(void* module, const std::string& name) const {
  const Current current(*this);
  Function found = nullptr;
  return functions_->function(&found, module, name.c_str()) == 0 ? found : nullptr;
}

void DriverDevice::launch(Function function, const LaunchShape& shape, void* stream, void** arguments) const {
  const Current current(*this);
  const int result = functions_->launch(function, shape.blocks_x, shape.blocks_y, 1, shape.threads_x,
                                        shape.threads_y, 1, 0, stream, arguments, nullptr);
  if (result != 0) throw Error("CUDA's driver: a kernel does not start: " + functions_->problem(result));
}

std::uint64_t DriverDevice::free_bytes() const {
  const Current current(*this);
  std::size_t free = 0, total = 0;
  return functions_->memory(&free, &total) == 0 ? free : 0;
}

}  // namespace imatch::cuda
