// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "gpu/agreement.h"
#include "nn/vision_transformer.h"

namespace imatch::testing {

/// Images [N, 3, H, W] -> tensors whose first dimension is N.
using Forward = std::function<std::vector<at::Tensor>(const at::Tensor&)>;

/// A network with random weights.
struct NetworkCase {
  std::string name;
  int image_px;  ///< Side of a square image.
  std::function<Forward(c10::Device, c10::ScalarType)> open;
};

/// One network of every kind of block, at most `depth` blocks of a transformer (0: all).
std::vector<NetworkCase> network_cases(int depth);

/// The vision transformer of that name (registry of the backbones), cut to `depth` blocks; 0: all.
NetworkCase vision_transformer(std::string_view alias, int image_px, int depth);
/// What it looks like.
VisionTransformerShape vision_transformer_shape(std::string_view alias, int depth);
/// Multiplications and additions of one image, each counted as one operation.
double vision_transformer_operations(std::string_view alias, int image_px, int depth);

/// What is measured: square images of a vision transformer, `batch` at a time.
struct TransformerJob {
  const char* alias;
  int image_px, depth;
  std::int64_t batch;
};
/// Small, base and large at 336 and 1,024 px; with kQuick two blocks of one.
std::vector<TransformerJob> transformer_jobs(Extent extent);

}  // namespace imatch::testing
