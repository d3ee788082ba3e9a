// SPDX-License-Identifier: Apache-2.0
#include "feature/postprocess.h"

#include <fmt/format.h>

#include <charconv>

#include "base/error.h"
#include "base/sha256.h"

namespace imatch {
namespace {

/// What is derived from known features depends on them and on the step alone.
std::string derived_key(const Features& features, const std::string& step) {
  return features.key.empty() ? "" : sha256_hex(features.key + " " + step);
}

at::Tensor normalized(const at::Tensor& vectors) {
  const at::Tensor wide = vectors.to(at::kFloat);
  // Far below the length of any real feature, and far above where float32 loses digits.
  const at::Tensor length = wide.norm(2, -1, /*keepdim=*/true).clamp_min(1e-12);
  return wide.div(length).to(vectors.scalar_type());
}

}  // namespace

Features subsample(const Features& features, int stride) {
  if (stride < 1) throw Error(fmt::format("subsample: stride {}: expected an integer >= 1", stride));
  if (stride == 1) return features;
  Features result = features;
  result.rows = (features.rows + stride - 1) / stride;
  result.cols = (features.cols + stride - 1) / stride;
  const std::int64_t dim = features.tokens.size(1);
  result.tokens = features.tokens.reshape({features.rows, features.cols, dim})
                      .slice(0, 0, features.rows, stride)
                      .slice(1, 0, features.cols, stride)
                      .reshape({std::int64_t{result.rows} * result.cols, dim});
  if (features.selectable.defined())
    result.selectable = features.selectable.reshape({features.rows, features.cols})
                            .slice(0, 0, features.rows, stride)
                            .slice(1, 0, features.cols, stride)
                            .reshape({std::int64_t{result.rows} * result.cols});
  // The centre of the new token c is that of the old one at c * stride: x_old = stride * (x_new - 0.5) + 0.5.
  auto& m = result.original_from_grid.m;
  for (const int row : {0, 3}) {
    m[row + 2] += (m[row] + m[row + 1]) * 0.5 * (1 - stride);
    m[row] *= stride;
    m[row + 1] *= stride;
  }
  result.key = derived_key(features, fmt::format("sub{}", stride));
  return result;
}

Features l2_normalized(const Features& features) {
  Features result = features;
  result.global = normalized(features.global);
  result.tokens = normalized(features.tokens);
  result.key = derived_key(features, "l2");
  return result;
}

Features variant_of(const Features& features, const std::string& variant) {
  if (variant == "raw") return features;
  int stride = 0;
  const char* end = variant.data() + variant.size();
  if (variant.starts_with("sub")) {
    const auto [stop, error] = std::from_chars(variant.data() + 3, end, stride);
    if (error != std::errc() || stop != end) stride = 0;
  }
  if (stride < 1) throw Error(fmt::format("variant '{}': expected 'raw' or 'sub<stride>' ('sub2')", variant));
  return subsample(features, stride);
}

}  // namespace imatch
