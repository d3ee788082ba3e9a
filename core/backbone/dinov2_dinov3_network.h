// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "backbone/working_frame.h"
#include "feature/features.h"

namespace imatch {

/// Tokens of N images of one size.
struct TokenGrid {
  at::Tensor tokens;   ///< [N, rows * cols, D], row-major over the grid.
  at::Tensor globals;  ///< [N, D]: the class tokens.
  std::int64_t rows = 0;
  std::int64_t cols = 0;
};

/// A network that makes a grid of tokens. Immutable; calls may come from several threads. Inference only.
class DinoNetwork {
 public:
  virtual ~DinoNetwork() = default;
  /// images [N, 3, H, W] normalised, of the network's device and type; H and W are multiples of stride().
  virtual TokenGrid forward(const at::Tensor& images) const = 0;
  /// Side of a token in pixels.
  virtual int stride() const = 0;
};

/// How images become the input of a network.
struct TokenGridSettings {
  WorkingFrame frame;
  std::size_t batch_size = 1;
  std::string_view normalization = "imagenet";  ///< See image/normalize.h.
  c10::Device device{c10::kCPU};
  c10::ScalarType dtype = at::kFloat;
};

/// The images of one batch, resized and normalised: [N, 3, H, W] on the device.
at::Tensor network_input(std::span<const Image* const> images, const std::vector<std::size_t>& batch,
                         const TokenGridSettings& settings);

/// Features of each image, without `backbone` and `key`; images of one working size go through `forward`
/// together. Polls the stop request once a batch.
std::vector<Features> extract_token_grids(std::span<const Image* const> images,
                                          const TokenGridSettings& settings,
                                          const std::function<TokenGrid(const at::Tensor&)>& forward);

/// "fp32", "bf16" or "fp16".
c10::ScalarType scalar_type_named(const std::string& dtype);

/// `asked`, or when that is 0: 32 on a GPU, and on the CPU one image for every four threads.
std::size_t batch_size_on(c10::Device device, int asked);

}  // namespace imatch
