// SPDX-License-Identifier: Apache-2.0
#include "feature/similarity.h"

#include <ATen/ops/dot.h>
#include <ATen/ops/norm.h>
#include <fmt/format.h>

#include "base/error.h"

namespace imatch {

double cosine(const at::Tensor& a, const at::Tensor& b) {
  if (a.numel() != b.numel())
    throw Error(fmt::format("cosine: {} and {} numbers; expected equally many", a.numel(), b.numel()));
  const auto flat = [](const at::Tensor& t) { return t.to(at::kCPU, at::kDouble).contiguous().flatten(); };
  const at::Tensor x = flat(a), y = flat(b);
  const double length = x.norm().item<double>() * y.norm().item<double>();
  return length > 0 ? x.dot(y).item<double>() / length : 0.0;
}

}  // namespace imatch
