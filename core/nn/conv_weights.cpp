// SPDX-License-Identifier: Apache-2.0
#include "nn/conv_weights.h"

namespace imatch {

ConvWeights take_conv_and_norm(WeightsCheckpoint& checkpoint, const std::string& conv,
                               const std::string& norm, const WeightsCheckpoint::Shape& shape,
                               double norm_eps) {
  const at::Tensor weight = checkpoint.read(conv + ".weight", shape, at::kDouble);
  const at::Tensor gain = checkpoint.read(norm + ".weight", {shape[0]}, at::kDouble);
  const at::Tensor shift = checkpoint.read(norm + ".bias", {shape[0]}, at::kDouble);
  const at::Tensor mean = checkpoint.read(norm + ".running_mean", {shape[0]}, at::kDouble);
  const at::Tensor variance = checkpoint.read(norm + ".running_var", {shape[0]}, at::kDouble);
  checkpoint.skip(norm + ".num_batches_tracked");  // a counter of training; older files lack it
  const at::Tensor scale = gain.div(variance.add(norm_eps).sqrt());
  const at::Tensor folded = checkpoint.placed(weight.mul(scale.view({-1, 1, 1, 1})));
  return {checkpoint.parameter(conv + ".weight", folded.contiguous(at::MemoryFormat::ChannelsLast)),
          checkpoint.parameter(conv + ".bias", checkpoint.placed(shift.sub(mean.mul(scale))))};
}

}  // namespace imatch
