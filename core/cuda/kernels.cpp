// SPDX-License-Identifier: Apache-2.0
#include "cuda/kernels.h"

#include <c10/core/impl/VirtualGuardImpl.h>
#include <fmt/format.h>

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "cuda/compiler.h"
#include "cuda/kernel_sources.h"

namespace imatch::cuda {
namespace {

std::optional<int> number_of(c10::ScalarType type) {
  switch (type) {
    case at::kFloat:
      return 0;
    case at::kBFloat16:
      return 1;
    case at::kHalf:
      return 2;
    default:
      return std::nullopt;
  }
}

/// FNV-1a, 64 bits: tells versions of our own source apart, no more.
std::uint64_t fingerprint(std::string_view text) {
  std::uint64_t hash = 0xCBF29CE484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3;
  return hash;
}

class GpuKernels final : public Kernels {
 public:
  GpuKernels(const DriverDevice& driver, c10::Device device, const std::string& code)
      : driver_(driver), device_(device), guard_(device.type()), module_(driver.load(code)) {
    stream();  // a LibTorch that does not tell its streams fails here, not in the middle of a network
  }

 private:
  void launch_by_pointers(std::string_view name, const LaunchShape& shape, void** arguments) const override {
    driver_.launch(function_of(name), shape, stream(), arguments);
  }

  void* stream() const { return guard_.getStream(device_).native_handle(); }

  DriverDevice::Function function_of(std::string_view name) const {
    const std::lock_guard lock(mutex_);
    const auto known = functions_.find(name);
    if (known != functions_.end()) return known->second;
    const DriverDevice::Function found = driver_.function(module_, std::string(name));
    if (!found) throw Error(fmt::format("kernels: there is none called '{}'", name));
    return functions_.emplace(std::string(name), found).first->second;
  }

  const DriverDevice& driver_;
  c10::Device device_;
  c10::impl::VirtualGuardImpl guard_;
  void* module_;
  mutable std::mutex mutex_;
  mutable std::map<std::string, DriverDevice::Function, std::less<>> functions_;
};

/// A GPU with what has been compiled for it.
class Gpu {
 public:
  explicit Gpu(c10::Device device) : device_(device) {
    driver_ = DriverDevice::open(device.index(), problem_);
    if (driver_) compiler_ = Compiler::find({}, problem_);
  }

  const Kernels* kernels(int number) {
    const std::lock_guard lock(mutex_);
    if (!problem_.empty()) return nullptr;
    std::unique_ptr<const Kernels>& made = kernels_[number];
    if (made) return made.get();
    try {
      made = make(number);
    } catch (const std::exception& error) {
      problem_ = error.what();
    }
    return made.get();
  }

  std::string status() const {
    const std::lock_guard lock(mutex_);
    if (!problem_.empty()) return problem_;
    return fmt::format("NVRTC {}, sm_{}", compiler_->version(), driver_->capability());
  }
  std::uint64_t free_bytes() const { return driver_ ? driver_->free_bytes() : 0; }
  std::string name() const {
    return driver_ ? fmt::format("{}, sm_{}", driver_->name(), driver_->capability()) : "cuda";
  }

 private:
  std::unique_ptr<const Kernels> make(int number) const {
    const std::string& source = kernel_source();
    const std::string path =
        fmt::format("{}/kernels/{:016x}-{}-sm_{}-nvrtc{}.bin", user_cache_folder(), fingerprint(source),
                    number, driver_->capability(), compiler_->version());
    try {
      return std::make_unique<GpuKernels>(*driver_, device_, read_file(path));
    } catch (const Error&) {
      // Not there yet, or damaged: compiled again.
    }
    const std::string code = compiler_->compile(source, driver_->capability(), {number_option(number)});
    auto kernels = std::make_unique<GpuKernels>(*driver_, device_, code);
    try {
      write_file_atomically(path, code, /*durable=*/false);
    } catch (const Failure&) {
      // A cache that cannot be written fails nobody: the next process compiles again.
    }
    return kernels;
  }

  c10::Device device_;
  mutable std::mutex mutex_;
  std::string problem_;  ///< Empty: all is well.
  std::unique_ptr<const DriverDevice> driver_;
  std::unique_ptr<const Compiler> compiler_;
  std::map<int, std::unique_ptr<const Kernels>> kernels_;
};

/// Kept to the end: modules go with CUDA's context, which may be gone before static destructors run.
Gpu& gpu(c10::Device device) {
  static std::mutex mutex;
  static auto& all = *new std::map<int, std::unique_ptr<Gpu>>;
  const std::lock_guard lock(mutex);
  std::unique_ptr<Gpu>& there = all[device.index()];
  if (!there) there = std::make_unique<Gpu>(device);
  return *there;
}

std::atomic<bool> wanted_kernels{true};
std::atomic<const Kernels* (*)(c10::ScalarType)> kernels_of_cpu{nullptr};

}  // namespace

const Kernels* kernels_for(const at::Tensor& like) {
  return kernels_for(like.device(), like.scalar_type());
}

const Kernels* kernels_for(c10::Device device, c10::ScalarType type) {
  const std::optional<int> number = number_of(type);
  if (!number || !wanted_kernels.load(std::memory_order_relaxed)) return nullptr;
  if (device.is_cuda()) return gpu(device).kernels(*number);
  const auto find = kernels_of_cpu.load(std::memory_order_relaxed);
  return device.is_cpu() && find ? find(type) : nullptr;
}

void use_kernels(bool wanted) {
  wanted_kernels = wanted;
}

void set_kernels_of_cpu(const Kernels* (*find)(c10::ScalarType)) {
  kernels_of_cpu = find;
}

std::string kernels_status(c10::Device device) {
  if (!device.is_cuda()) return "kernels of our own are for GPUs";
  if (!wanted_kernels) return "switched off";
  kernels_for(device, at::kFloat);
  return gpu(device).status();
}

std::string device_name(c10::Device device) {
  return device.is_cuda() ? gpu(device).name() : "cpu";
}

std::uint64_t free_device_bytes(c10::Device device) {
  return device.is_cuda() ? gpu(device).free_bytes() : 0;
}

at::Tensor moved_if_it_fits(const at::Tensor& tensor, c10::Device device) {
  return device.is_cuda() && tensor.nbytes() < free_device_bytes(device) / 3 ? tensor.to(device) : tensor;
}

std::string number_option(int number) {
  return fmt::format("-DIMATCH_NUMBER={}", number);
}

}  // namespace imatch::cuda
