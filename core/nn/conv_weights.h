// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <string>

#include "nn/weights_checkpoint.h"

namespace imatch {

/// Weight [O, I / groups, k, k] and bias [O] of a convolution.
struct ConvWeights {
  at::Tensor weight, bias;
};

/// A convolution without bias and the batch normalisation behind it, as one convolution with bias: folded in
/// double precision, then of the checkpoint's type, in channels-last order, and as such the parameters
/// `conv`.weight and `conv`.bias: training goes on with the statistics that the checkpoint has. `shape` is
/// that of `conv`.weight; `norm` has weight, bias, running_mean and running_var. Throws Failure as
/// WeightsCheckpoint.
ConvWeights take_conv_and_norm(WeightsCheckpoint& checkpoint, const std::string& conv,
                               const std::string& norm, const WeightsCheckpoint::Shape& shape,
                               double norm_eps);

}  // namespace imatch
