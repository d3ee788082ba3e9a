// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <functional>
#include <vector>

namespace imatch {

/// Runs batch after batch through a network without waiting inside of one: `input(i)` makes the i-th of
/// `count` batches on the CPU, float32; it is moved to the device and its type (samples of 8 bits stay what
/// they are, a quarter of the bytes on the way), goes through `forward`, and `output(i, tensors)` gets what
/// that returned, as float32 on the CPU.
///
/// On a GPU the copies go through page-locked memory, inputs on a stream of their own, and outputs of a batch
/// are waited for only when the next one is under way: the CPU prepares batch i + 1 while the GPU computes
/// batch i. Everything is called on the calling thread, outputs in the order of the inputs. Polls the stop
/// request once a batch.
void run_batches(std::size_t count, c10::Device device, c10::ScalarType dtype,
                 const std::function<at::Tensor(std::size_t)>& input,
                 const std::function<std::vector<at::Tensor>(const at::Tensor&)>& forward,
                 const std::function<void(std::size_t, const std::vector<at::Tensor>&)>& output);

}  // namespace imatch
