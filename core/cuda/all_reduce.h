// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace imatch::cuda {

/// Processes with a GPU each that add up what lies there. All call the same functions in the same order.
class AllReduce {
 public:
  virtual ~AllReduce() = default;
  /// Replaces the tensor, which is contiguous, by the sum of what the processes have, in the current stream.
  virtual void sum(const at::Tensor& tensor) = 0;
};

/// How processes come together.
struct AllReduceMaker {
  /// The first process makes an id and hands it to the others, each time anew.
  std::function<std::vector<std::uint8_t>()> new_id;
  /// Waits for the others. `device`: this process's.
  std::function<std::unique_ptr<AllReduce>(const std::vector<std::uint8_t>& id, int rank, int size,
                                           c10::Device device)>
      join;

  explicit operator bool() const { return static_cast<bool>(join); }
};

/// By NCCL, which the CUDA wheel of LibTorch has; empty where `device` is no GPU, and in a program that was
/// built without CUDA's headers (`./setup --cuda` brings them). Its functions throw what NCCL complains of,
/// such as two processes with one GPU.
AllReduceMaker nccl(c10::Device device);

}  // namespace imatch::cuda
