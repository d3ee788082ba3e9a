// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "backbone/working_frame.h"
#include "image/normalize.h"

namespace imatch {

/// How images become the input of a network, [N, 3, H, W].
struct NetworkInput {
  WorkingFrame frame = {};
  Normalization normalization = {};
  c10::Device device{c10::kCPU};
  c10::ScalarType dtype = at::kFloat;
  std::size_t batch_size = 1;
};

/// Sends images of one working size through `forward` together; of what that returns (tensors whose first
/// dimension is the batch), `take` gets each image's share, as float32 on the CPU. The shares are views of
/// their batch: what is kept is to be cloned. No gradients. Polls the stop request once a batch.
void forward_images(std::span<const Image* const> images, const NetworkInput& input,
                    const std::function<std::vector<at::Tensor>(const at::Tensor&)>& forward,
                    const std::function<void(std::size_t image, const std::vector<at::Tensor>& share)>& take);

/// "fp32", "bf16" or "fp16".
c10::ScalarType scalar_type_named(const std::string& dtype);

/// `asked`, or when that is 0: 32 on a GPU, and on the CPU one image for every four threads.
std::size_t batch_size_on(c10::Device device, int asked);

}  // namespace imatch
