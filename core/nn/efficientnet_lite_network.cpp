// SPDX-License-Identifier: Apache-2.0
#include "nn/efficientnet_lite_network.h"

#include <ATen/ops/linear.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/sqrt.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>

#include "base/error.h"

namespace imatch {
namespace {

/// Blocks that follow each other; only the first has the stride and changes the number of channels.
struct BlockGroup {
  int repeats, kernel, stride, expansion, channels;
};
constexpr BlockGroup kGroups[] = {{1, 3, 1, 1, 16},  {2, 3, 2, 6, 24},  {2, 5, 2, 6, 40}, {3, 3, 2, 6, 80},
                                  {3, 5, 1, 6, 112}, {4, 5, 2, 6, 192}, {1, 3, 1, 6, 320}};
constexpr int kStemChannels = 32;
constexpr int kHeadChannels = 1280;
constexpr int kClasses = 1000;
constexpr double kBatchNormEps = 1e-3;

/// Takes the network's tensors out of a checkpoint one by one; what is left at the end does not belong to it.
class Checkpoint {
 public:
  Checkpoint(const StateDict& weights, c10::Device device, c10::ScalarType dtype)
      : tensors_(weights.begin(), weights.end()), device_(device), dtype_(dtype) {}

  at::Tensor take(const std::string& name, const std::vector<std::int64_t>& shape) {
    const auto found = tensors_.find(name);
    if (found == tensors_.end())
      throw Failure(code::kBadWeights,
                    fmt::format("efficientnet_lite0 weights: the tensor '{}' is missing", name));
    at::Tensor tensor = found->second;
    if (tensor.sizes() != c10::IntArrayRef(shape))
      throw Failure(code::kBadWeights,
                    fmt::format("efficientnet_lite0 weights: the tensor '{}' has the shape [{}]; "
                                "expected [{}]",
                                name, fmt::join(tensor.sizes(), ", "), fmt::join(shape, ", ")));
    if (!tensor.is_floating_point())
      throw Failure(code::kBadWeights,
                    fmt::format("efficientnet_lite0 weights: the tensor '{}' is of type {}; expected "
                                "a floating-point tensor",
                                name, c10::toString(tensor.scalar_type())));
    tensors_.erase(found);
    return tensor.to(at::kDouble);
  }

  at::Tensor placed(const at::Tensor& tensor) const { return tensor.to(device_, dtype_); }

  /// A convolution without bias and the batch normalisation behind it, as one convolution.
  SameConv conv(const std::string& conv_name, const std::string& norm_name, int in, int out, int kernel,
                SameConv::Shape shape) {
    const at::Tensor weight = take(conv_name + ".weight", {out, in / shape.groups, kernel, kernel});
    const at::Tensor gain = take(norm_name + ".weight", {out});
    const at::Tensor shift = take(norm_name + ".bias", {out});
    const at::Tensor mean = take(norm_name + ".running_mean", {out});
    const at::Tensor variance = take(norm_name + ".running_var", {out});
    tensors_.erase(norm_name + ".num_batches_tracked");  // a counter of training; older files lack it
    const at::Tensor scale = gain.div(variance.add(kBatchNormEps).sqrt());
    return {placed(weight.mul(scale.view({-1, 1, 1, 1}))), placed(shift.sub(mean.mul(scale))), shape};
  }

  void require_empty() const {
    if (!tensors_.empty())
      throw Failure(
          code::kBadWeights,
          fmt::format(
              "efficientnet_lite0 weights: the tensor '{}' is not part of the "
              "network{}",
              tensors_.begin()->first,
              tensors_.size() == 1 ? std::string() : fmt::format(", nor are {} more", tensors_.size() - 1)));
  }

 private:
  std::map<std::string, at::Tensor> tensors_;
  c10::Device device_;
  c10::ScalarType dtype_;
};

}  // namespace

EfficientNetLite0::EfficientNetLite0(const StateDict& weights, c10::Device device, c10::ScalarType dtype) {
  Checkpoint checkpoint(weights, device, dtype);
  stem_ = checkpoint.conv("_conv_stem", "_bn0", 3, kStemChannels, 3, {.stride = 2, .relu6 = true});
  int channels = kStemChannels;
  int stride = 2;
  for (const BlockGroup& group : kGroups) {
    for (int repeat = 0; repeat < group.repeats; ++repeat) {
      const std::string name = fmt::format("_blocks.{}.", blocks_.size());
      const int block_stride = repeat == 0 ? group.stride : 1;
      const int wide = channels * group.expansion;
      Block block;
      if (group.expansion != 1)
        block.expand =
            checkpoint.conv(name + "_expand_conv", name + "_bn0", channels, wide, 1, {.relu6 = true});
      block.depthwise = checkpoint.conv(name + "_depthwise_conv", name + "_bn1", wide, wide, group.kernel,
                                        {.stride = block_stride, .groups = wide, .relu6 = true});
      block.project = checkpoint.conv(name + "_project_conv", name + "_bn2", wide, group.channels, 1, {});
      block.skip = repeat > 0;
      stride *= block_stride;
      block.stride = stride;
      blocks_.push_back(std::move(block));
      channels = group.channels;
    }
  }
  head_ = checkpoint.conv("_conv_head", "_bn1", channels, kHeadChannels, 1, {.relu6 = true});
  classifier_weight_ = checkpoint.placed(checkpoint.take("_fc.weight", {kClasses, kHeadChannels}));
  classifier_bias_ = checkpoint.placed(checkpoint.take("_fc.bias", {kClasses}));
  checkpoint.require_empty();
}

at::Tensor EfficientNetLite0::stage(const at::Tensor& images, int stride) const {
  at::Tensor x = stem_(images.contiguous(at::MemoryFormat::ChannelsLast));
  for (const Block& block : blocks_) {
    if (block.stride > stride) break;
    const at::Tensor inner = block.depthwise(block.expand ? (*block.expand)(x) : x);
    x = block.skip ? block.project.add_to(x, inner) : block.project(inner);
  }
  return x;
}

at::Tensor EfficientNetLite0::logits(const at::Tensor& images) const {
  const at::Tensor features = head_(stage(images, 32));
  return at::linear(features.mean({2, 3}), classifier_weight_, classifier_bias_);
}

}  // namespace imatch
