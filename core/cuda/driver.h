// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace imatch::cuda {

/// How many threads a kernel gets: `blocks_x` x `blocks_y` blocks of `threads_x` x `threads_y`.
struct LaunchShape {
  unsigned blocks_x = 1, blocks_y = 1;
  unsigned threads_x = 32, threads_y = 1;
};

/// One GPU by CUDA's driver (libcuda, which comes with the kernel module): loads compiled kernels and starts
/// them. Works in the context that LibTorch has. Calls may come from several threads.
class DriverDevice {
 public:
  /// A kernel of a module; both stay loaded to the end of the process.
  using Function = void*;

  /// nullptr, and in `problem` why, where there is no driver or no such GPU.
  static std::unique_ptr<const DriverDevice> open(int index, std::string& problem);

  /// Compute capability times ten: 90 for 9.0.
  int capability() const { return capability_; }
  const std::string& name() const { return name_; }
  /// A module of what Compiler::compile returned. Throws Error.
  void* load(const std::string& code) const;
  /// nullptr when the module has no kernel of that name.
  Function function(void* module, const std::string& name) const;
  /// Puts the kernel into the stream; `arguments` point at its parameters. Throws Error.
  void launch(Function function, const LaunchShape& shape, void* stream, void** arguments) const;
  /// Bytes that are free on the device, LibTorch's own cache not counted.
  std::uint64_t free_bytes() const;

 private:
  struct Functions;
  class Current;

  DriverDevice(std::shared_ptr<const Functions> functions, void* context, int capability, std::string name)
      : functions_(std::move(functions)),
        context_(context),
        capability_(capability),
        name_(std::move(name)) {}

  std::shared_ptr<const Functions> functions_;
  void* context_;  ///< The device's primary one.
  int capability_;
  std::string name_;
};

}  // namespace imatch::cuda
