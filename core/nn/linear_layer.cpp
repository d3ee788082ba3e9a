// SPDX-License-Identifier: Apache-2.0
#include "nn/linear_layer.h"

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/linear.h>

#include <optional>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "nn/attention_bf16.h"
#include "nn/fused.h"
#include "nn/gradients.h"

namespace imatch {
namespace {

/// LibTorch's bindings of oneDNN's inner product. They are in its table of operators only, not in its
/// headers.
struct OneDnn {
  using Linear = at::Tensor(const at::Tensor& x, const at::Tensor& weight,
                            const std::optional<at::Tensor>& bias, std::string_view then,
                            c10::List<std::optional<at::Scalar>> scalars,
                            std::optional<std::string_view> algorithm);
  using Pack = at::Tensor(const at::Tensor& weight, std::optional<std::int64_t> num_rows);

  c10::TypedOperatorHandle<Linear> linear;
  c10::TypedOperatorHandle<Pack> pack;

  /// nullptr: this LibTorch was built without.
  static const OneDnn* find() {
    static const std::optional<OneDnn> found = []() -> std::optional<OneDnn> {
      const auto operator_named = [](const char* name) {
        return c10::Dispatcher::singleton().findSchema({name, ""});
      };
      const auto linear = operator_named("mkldnn::_linear_pointwise");
      const auto pack = operator_named("mkldnn::_reorder_linear_weight");
      if (!linear || !pack || !linear->hasKernelForDispatchKey(c10::DispatchKey::CPU)) return std::nullopt;
      return OneDnn{linear->typed<Linear>(), pack->typed<Pack>()};
    }();
    return found ? &*found : nullptr;
  }
};

/// In bfloat16 only where the processor multiplies it: elsewhere LibTorch refuses oneDNN's product.
bool suits_onednn(const at::Tensor& weight) {
  const bool is_known =
      weight.scalar_type() == at::kFloat || (weight.scalar_type() == at::kBFloat16 && multiplies_bf16());
  return weight.is_cpu() && is_known && weight.numel() > 0 && OneDnn::find();
}

}  // namespace

LinearLayer::LinearLayer(const at::Tensor& weight, at::Tensor bias, Storage storage)
    : weight_(weight), bias_(std::move(bias)) {
  if (storage == Storage::kInt8 && weight.is_cpu() && weight.scalar_type() == at::kFloat) {
    int8_ = Int8Weight(weight);
    weight_ = at::Tensor();
    return;
  }
  packed_ = storage == Storage::kPacked && suits_onednn(weight);
  if (packed_) weight_ = OneDnn::find()->pack.call(weight, std::nullopt);
}

at::Tensor LinearLayer::apply(const at::Tensor& x, bool gelu) const {
  const bool differentiated = needs_gradient(x, weight_, bias_);
  if (differentiated && is_packed())
    throw Error(
        "LinearLayer: no gradient passes a packed weight; expected a network opened for training, or "
        "gradients "
        "off");
  if (int8_.defined()) return int8_.product(x, bias_, gelu);
  if (packed_ || (!differentiated && suits_onednn(weight_))) {
    const std::optional<at::Tensor> bias = bias_.defined() ? std::optional(bias_) : std::nullopt;
    return OneDnn::find()->linear.call(x, weight_, bias, gelu ? "gelu" : "none",
                                       c10::List<std::optional<at::Scalar>>(),
                                       gelu ? std::optional<std::string_view>("none") : std::nullopt);
  }
  return gelu ? fused::linear_gelu(x, weight_, bias_) : at::linear(x, weight_, bias_);
}

}  // namespace imatch
