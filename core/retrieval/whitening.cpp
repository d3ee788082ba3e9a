// SPDX-License-Identifier: Apache-2.0
#include "retrieval/whitening.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/linalg_vector_norm.h>

#include <algorithm>

#include "index/principal_axes.h"

namespace imatch {

Whitening::Whitening(const at::Tensor& vectors, int dims) {
  const at::NoGradGuard no_gradients;
  constexpr double kLeastDeviation = 1e-6;
  mean_ = vectors.mean(0);
  const std::int64_t count = vectors.size(0);
  if (dims == 0 || count < 2) {
    const at::Tensor centred = (vectors - mean_).to(at::kDouble);
    scale_ = centred.pow(2).mean(0).sqrt().clamp_min(kLeastDeviation).reciprocal().to(at::kFloat);
    if (count < 2) scale_ = scale_.fill_(1);
    return;
  }
  const auto kept = static_cast<int>(std::min({std::int64_t{dims}, vectors.size(1), count - 1}));
  scale_ = whitening_axes(vectors, kept, kLeastDeviation);
}

at::Tensor Whitening::operator()(const at::Tensor& vectors) const {
  const at::NoGradGuard no_gradients;
  const at::Tensor centred = vectors - mean_;
  const at::Tensor whitened = scale_.dim() == 1 ? centred * scale_ : centred.matmul(scale_);
  return whitened /
         at::linalg_vector_norm(whitened, 2, at::IntArrayRef{-1}, /*keepdim=*/true).clamp_min(1e-12);
}

}  // namespace imatch
