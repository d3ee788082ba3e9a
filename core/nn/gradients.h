// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>

namespace imatch {

/// True when what is computed from these tensors is to be differentiated: layers then keep to operators that
/// autograd knows and change nothing in place that it may need again; else they take the fastest way.
template <class... Tensors>
bool needs_gradient(const Tensors&... tensors) {
  return at::GradMode::is_enabled() && ((tensors.defined() && tensors.requires_grad()) || ...);
}

/// x += update * scale, the residual connection of a block with layer scale.
inline void add_scaled(at::Tensor& x, const at::Tensor& update, const at::Tensor& scale) {
  if (needs_gradient(x, update, scale))
    x = x.addcmul(update, scale);
  else
    x.addcmul_(update, scale);
}

}  // namespace imatch
