// SPDX-License-Identifier: Apache-2.0
#include "index/vectors.h"

#include <ATen/ops/isfinite.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <c10/core/ScalarType.h>
#include <fmt/format.h>

#include <cmath>
#include <unordered_set>

#include "base/error.h"

namespace imatch {
namespace {

std::string shape_text(const at::Tensor& t) {
  std::string text = "[";
  for (std::int64_t i = 0; i < t.dim(); ++i) text += fmt::format("{}{}", i ? ", " : "", t.size(i));
  return text + "]";
}

/// The largest absolute value of each row tells both apart: NaN or infinity, and 0.
void require_usable_rows(const at::Tensor& rows, Metric metric, std::string_view what) {
  if (rows.size(0) == 0) return;
  const at::Tensor largest =
      at::linalg_vector_norm(rows, std::numeric_limits<double>::infinity(), at::IntArrayRef{1})
          .to(at::kCPU)
          .contiguous();
  const float* values = largest.const_data_ptr<float>();
  for (std::int64_t row = 0; row < rows.size(0); ++row) {
    if (!std::isfinite(values[row]))
      throw Error(fmt::format("{}: row {} has a value that is NaN or infinite", what, row));
    if (metric == Metric::kInnerProduct && values[row] == 0)
      throw Error(fmt::format("{}: row {} is all zeros, it has no direction", what, row));
  }
}

}  // namespace

float no_neighbour_score(Metric metric) {
  const float infinity = std::numeric_limits<float>::infinity();
  return metric == Metric::kInnerProduct ? -infinity : infinity;
}

at::Tensor check_vectors(const at::Tensor& vectors, Metric metric, std::string_view what) {
  if (!vectors.defined() || (vectors.dim() != 1 && vectors.dim() != 2) || vectors.size(-1) == 0)
    throw Error(fmt::format("{}: expected vectors of shape [n, D] or [D], got {}", what,
                            vectors.defined() ? shape_text(vectors) : "none"));
  if (!vectors.is_floating_point())
    throw Error(fmt::format("{}: expected floating-point vectors, got {}", what,
                            c10::toString(vectors.scalar_type())));
  const at::Tensor rows = (vectors.dim() == 1 ? vectors.unsqueeze(0) : vectors).to(at::kFloat).contiguous();
  require_usable_rows(rows, metric, what);
  return rows;
}

at::Tensor unit_rows(const at::Tensor& vectors, std::string_view what) {
  const at::Tensor rows = check_vectors(vectors, Metric::kInnerProduct, what);
  // In float64: the lengths of tiny and huge vectors do not vanish or overflow on the way.
  const at::Tensor wide = rows.to(at::kDouble);
  return wide.div(at::linalg_vector_norm(wide, 2, at::IntArrayRef{1}, true)).to(at::kFloat);
}

at::Tensor check_ids(const at::Tensor& ids, std::int64_t expected, std::string_view what) {
  if (!ids.defined() || ids.dim() != 1 || !c10::isIntegralType(ids.scalar_type(), false))
    throw Error(fmt::format("{}: ids: expected integers of shape [n], got {} {}", what,
                            ids.defined() ? c10::toString(ids.scalar_type()) : "none",
                            ids.defined() ? shape_text(ids) : ""));
  if (ids.size(0) != expected)
    throw Error(fmt::format("{}: {} ids for {} vectors", what, ids.size(0), expected));
  const at::Tensor list = ids.to(at::kCPU).to(at::kLong).contiguous();
  std::unordered_set<std::int64_t> seen;
  seen.reserve(static_cast<std::size_t>(expected));
  const std::int64_t* values = list.const_data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < expected; ++i) {
    if (values[i] < 0) throw Error(fmt::format("{}: id {} is negative", what, values[i]));
    if (!seen.insert(values[i]).second) throw Error(fmt::format("{}: id {} is given twice", what, values[i]));
  }
  return list;
}

}  // namespace imatch
