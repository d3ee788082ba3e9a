// SPDX-License-Identifier: Apache-2.0
#include "nn/same_conv.h"

#include <ATen/Context.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/conv2d.h>
#include <fmt/format.h>

#include <array>

#include "base/error.h"
#include "nn/gradients.h"

namespace imatch {
namespace {

using Scalars = c10::List<std::optional<at::Scalar>>;
using Size2 = std::array<std::int64_t, 2>;
constexpr Size2 kNoDilation{1, 1};

/// oneDNN's fused convolutions, which LibTorch registers as operators without a C++ header.
struct FusedOperators {
  std::optional<c10::OperatorHandle> convolution;
  std::optional<c10::OperatorHandle> convolution_add;

  FusedOperators() {
    if (!at::globalContext().hasMKLDNN()) return;
    auto& dispatcher = c10::Dispatcher::singleton();
    convolution = dispatcher.findSchema({"mkldnn::_convolution_pointwise", ""});
    convolution_add = dispatcher.findSchema({"mkldnn::_convolution_pointwise_", "binary"});
  }
  bool complete() const { return convolution && convolution_add; }
};

const FusedOperators& fused_operators() {
  static const FusedOperators operators;
  return operators;
}

/// Through the boxed calling convention: its argument types are the schema's, whatever C++ signature a
/// LibTorch release gives the kernel.
at::Tensor call(const c10::OperatorHandle& op, std::vector<c10::IValue> stack) {
  op.callBoxed(stack);
  return std::move(stack.at(0)).toTensor();
}

/// Padding of one axis, the same at both ends, and how many outputs to drop at its begin.
struct AxisPadding {
  std::int64_t both_ends;
  std::int64_t dropped;
};

/// SAME padding of an even axis under stride 2 is one pixel more at the end than at the begin. Padding two
/// pixels more at the begin computes the same outputs one place later, behind one to drop: cheaper than
/// padding the input, which is four times the output.
AxisPadding same_padding(std::int64_t length, std::int64_t kernel, std::int64_t stride) {
  if (stride == 2 && length % 2 == 0) return {(kernel + 1) / 2, 1};
  return {(kernel - 1) / 2, 0};
}

}  // namespace

SameConv::SameConv(const at::Tensor& weight, const at::Tensor& bias, Shape shape)
    : weight_(weight.contiguous(at::MemoryFormat::ChannelsLast)),
      bias_(bias.contiguous()),
      shape_(shape),
      kernel_(weight.size(2)) {
  const bool known_stride = shape.stride == 1 || (shape.stride == 2 && kernel_ > 1);
  if (!known_stride || kernel_ % 2 == 0 || weight.size(3) != kernel_)
    throw Error(
        fmt::format("SameConv: a {} x {} kernel with stride {} is not allowed; expected an odd square kernel "
                    "and stride 1, or 2 from 3 x 3 on",
                    kernel_, weight.size(3), shape.stride));
  const auto type = weight.scalar_type();
  fused_ = weight.is_cpu() && (type == at::kFloat || type == at::kBFloat16) && fused_operators().complete();
}

at::Tensor SameConv::operator()(const at::Tensor& input) const {
  const AxisPadding y = same_padding(input.size(2), kernel_, shape_.stride);
  const AxisPadding x = same_padding(input.size(3), kernel_, shape_.stride);
  const Size2 padding{y.both_ends, x.both_ends};
  const Size2 stride{shape_.stride, shape_.stride};
  const bool differentiated = needs_gradient(input, weight_, bias_);
  at::Tensor output;
  if (fused_ && !differentiated) {
    Scalars limits;
    if (shape_.relu6) {
      limits.push_back(at::Scalar(0.0));
      limits.push_back(at::Scalar(6.0));
    }
    output = call(*fused_operators().convolution,
                  {input, weight_, bias_, padding, stride, kNoDilation, std::int64_t{shape_.groups},
                   shape_.relu6 ? "hardtanh" : "none", limits, ""});
  } else {
    output = at::conv2d(input, weight_, bias_, stride, padding, kNoDilation, shape_.groups);
    if (shape_.relu6) output = differentiated ? output.clamp(0, 6) : output.clamp_(0, 6);
  }
  if (y.dropped == 0 && x.dropped == 0) return output;
  return output.narrow(2, y.dropped, output.size(2) - y.dropped)
      .narrow(3, x.dropped, output.size(3) - x.dropped)
      .contiguous(at::MemoryFormat::ChannelsLast);
}

GraphWriter::Value SameConv::write(GraphWriter& to, GraphWriter::Value input) const {
  const GraphWriter::Value output = to.conv(input, {.weight = weight_,
                                                    .bias = bias_,
                                                    .stride = shape_.stride,
                                                    .groups = shape_.groups,
                                                    .padding = GraphWriter::Padding::kSame});
  return shape_.relu6 ? to.relu(output, 6) : output;
}

at::Tensor SameConv::add_to(const at::Tensor& sum, const at::Tensor& input) const {
  if (shape_.stride != 1 || shape_.relu6)
    throw Error("SameConv: only a plain convolution of stride 1 adds in place");
  const Size2 padding{(kernel_ - 1) / 2, (kernel_ - 1) / 2};
  const bool differentiated = needs_gradient(sum, input, weight_, bias_);
  if (!fused_ || differentiated) {
    const at::Tensor more =
        at::conv2d(input, weight_, bias_, Size2{1, 1}, padding, kNoDilation, shape_.groups);
    return differentiated ? sum.add(more) : sum.add_(more);
  }
  return call(*fused_operators().convolution_add,
              {sum, input, weight_, bias_, padding, Size2{1, 1}, kNoDilation, std::int64_t{shape_.groups},
               "add", at::Scalar(1.0), c10::IValue(), Scalars(), c10::IValue()});
}

}  // namespace imatch
