// SPDX-License-Identifier: Apache-2.0
#include "nn/conv_weights.h"

namespace imatch {

ConvWeights take_conv_and_norm(WeightsCheckpoint& checkpoint, const std::string& conv,
                               const std::string& norm, const WeightsCheckpoint::Shape& shape,
                               double norm_eps) {
  const at::Tensor weight = checkpoint.take_float64(conv + ".weight", shape);
  const at::Tensor gain = checkpoint.take_float64(norm + ".weight", {shape[0]});
  const at::Tensor shift = checkpoint.take_float64(norm + ".bias", {shape[0]});
  const at::Tensor mean = checkpoint.take_float64(norm + ".running_mean", {shape[0]});
  const at::Tensor variance = checkpoint.take_float64(norm + ".running_var", {shape[0]});
  checkpoint.skip(norm + ".num_batches_tracked");  // a counter of training; older files lack it
  const at::Tensor scale = gain.div(variance.add(norm_eps).sqrt());
  return {weight.mul(scale.view({-1, 1, 1, 1})).to(checkpoint.dtype()),
          shift.sub(mean.mul(scale)).to(checkpoint.dtype())};
}

}  // namespace imatch
