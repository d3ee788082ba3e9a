// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "nn/unet.h"

namespace imatch {

/// One block of a U-Net, in the order of the weights.
struct UNetBlockPlan {
  enum class Kind { kConv, kBlock, kDown, kUp };
  std::string name;  ///< "enc.160x160_block0"
  Kind kind = Kind::kBlock;
  int in = 0, out = 0;
  bool attention = false;

  bool has_skip() const { return kind != Kind::kConv && (in != out || resamples()); }
  bool resamples() const { return kind == Kind::kDown || kind == Kind::kUp; }
};

struct UNetPlan {
  std::vector<UNetBlockPlan> encoder, decoder;
  std::string last_norm, last_conv;
  int last_width = 0;
};

UNetPlan plan_of(const UNetShape& shape);

/// How a tensor of a new network is filled.
struct UNetTensorPlan {
  enum class Fill { kZero, kOne, kXavier, kFilter };
  std::string name;
  std::vector<std::int64_t> shape;
  Fill fill = Fill::kZero;
  double gain = 1;  ///< Of kXavier.
};

/// The tensors of a block in the order of the weights.
std::vector<UNetTensorPlan> tensors_of(const UNetBlockPlan& block);
/// Those of the whole network.
std::vector<UNetTensorPlan> tensors_of(const UNetPlan& plan, int out_channels);

}  // namespace imatch
