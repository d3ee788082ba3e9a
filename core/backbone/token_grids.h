// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "backbone/working_frame.h"
#include "feature/features.h"
#include "image/normalize.h"
#include "nn/token_network.h"

namespace imatch {

/// How images become the input of a network, [N, 3, H, W].
struct TokenGridSettings {
  WorkingFrame frame = {};
  Normalization normalization = {};
  c10::Device device{c10::kCPU};
  c10::ScalarType dtype = at::kFloat;
  std::size_t batch_size = 1;
};

/// Features of each image, without `backbone` and `key`; images of one working size go through `forward`
/// together, in inference mode. Polls the stop request once a batch.
std::vector<Features> extract_token_grids(std::span<const Image* const> images,
                                          const TokenGridSettings& settings,
                                          const std::function<TokenGrid(const at::Tensor&)>& forward);

/// Of the networks trained on ImageNet.
inline constexpr std::int64_t kImageNetClasses = 1000;

/// Scores of each image's classes, [N, classes] float32 on the CPU, in the same way.
at::Tensor extract_logits(std::span<const Image* const> images, const TokenGridSettings& settings,
                          std::int64_t classes, const std::function<at::Tensor(const at::Tensor&)>& forward);

/// "fp32", "bf16" or "fp16".
c10::ScalarType scalar_type_named(const std::string& dtype);

/// `asked`, or when that is 0: 32 on a GPU, and on the CPU one image for every four threads.
std::size_t batch_size_on(c10::Device device, int asked);

}  // namespace imatch
