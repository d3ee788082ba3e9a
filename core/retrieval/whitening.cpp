// SPDX-License-Identifier: Apache-2.0
#include "retrieval/whitening.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/linalg_eigh.h>
#include <ATen/ops/linalg_vector_norm.h>

#include <algorithm>
#include <tuple>

namespace imatch {

Whitening::Whitening(const at::Tensor& vectors, int dims) {
  const at::NoGradGuard no_gradients;
  constexpr double kLeastDeviation = 1e-6;
  mean_ = vectors.mean(0);
  const at::Tensor centred = (vectors - mean_).to(at::kDouble);
  const std::int64_t count = vectors.size(0);
  if (dims == 0 || count < 2) {
    scale_ = centred.pow(2).mean(0).sqrt().clamp_min(kLeastDeviation).reciprocal().to(at::kFloat);
    if (count < 2) scale_ = scale_.fill_(1);
    return;
  }
  const auto [values, axes] = at::linalg_eigh(centred.t().mm(centred) / static_cast<double>(count));
  const std::int64_t kept = std::min({std::int64_t{dims}, vectors.size(1), count - 1});
  const std::int64_t first = vectors.size(1) - kept;  // eigenvalues come in rising order
  const at::Tensor deviation = values.slice(0, first).clamp_min(0).sqrt().clamp_min(kLeastDeviation);
  scale_ = (axes.slice(1, first) / deviation).to(at::kFloat).contiguous();
}

at::Tensor Whitening::operator()(const at::Tensor& vectors) const {
  const at::NoGradGuard no_gradients;
  const at::Tensor centred = vectors - mean_;
  const at::Tensor whitened = scale_.dim() == 1 ? centred * scale_ : centred.matmul(scale_);
  return whitened /
         at::linalg_vector_norm(whitened, 2, at::IntArrayRef{-1}, /*keepdim=*/true).clamp_min(1e-12);
}

}  // namespace imatch
