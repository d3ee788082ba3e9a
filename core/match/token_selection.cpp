// SPDX-License-Identifier: Apache-2.0
#include "match/token_selection.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <c10/core/ScalarType.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include "base/error.h"

namespace imatch {
namespace {

void check_shape(const Features& features, const char* name) {
  const at::Tensor& tokens = features.tokens;
  if (!tokens.defined())
    throw Error(fmt::format("tokens of {}: there are none; expected a [tokens, D] tensor", name));
  if (tokens.dim() != 2)
    throw Error(fmt::format("tokens of {}: {} dimensions; expected 2, [tokens, D]", name, tokens.dim()));
  if (!at::isFloatingType(tokens.scalar_type()))
    throw Error(fmt::format("tokens of {}: type {}; expected a floating point type", name,
                            c10::toString(tokens.scalar_type())));
  const std::int64_t cells = std::int64_t{features.rows} * features.cols;
  if (tokens.size(0) != cells)
    throw Error(fmt::format("tokens of {}: {} tokens do not fill the grid of {} x {} = {}", name,
                            tokens.size(0), features.rows, features.cols, cells));
}

/// Largest relative difference of two norms that were meant to be equal, after storage in `type`.
double norm_rounding(at::ScalarType type) {
  switch (type) {
    case at::ScalarType::Half:
      return 1e-3;
    case at::ScalarType::BFloat16:
      return 1e-2;
    default:
      return 1e-5;
  }
}

/// The tokens that may take part at all, ascending.
std::vector<std::int64_t> candidates(const Features& features, const char* name) {
  std::vector<std::int64_t> list;
  const std::int64_t n = features.tokens.size(0);
  if (features.selectable.defined() && features.selectable.numel() != n)
    throw Error(fmt::format("features of {}: {} flags of selectable tokens for {} tokens", name,
                            features.selectable.numel(), n));
  const bool* flags = features.selectable.defined() ? features.selectable.const_data_ptr<bool>() : nullptr;
  for (std::int64_t i = 0; i < n; ++i)
    if (!flags || flags[i]) list.push_back(i);
  return list;
}

/// Those with a min-max normalised norm >= threshold, ascending; never empty unless there are none at all.
std::vector<std::int64_t> strong_tokens(std::vector<std::int64_t> tokens, std::span<const float> norms,
                                        double threshold, double rounding) {
  if (tokens.empty()) return tokens;
  const auto [low, high] = std::ranges::minmax_element(tokens, {}, [&](std::int64_t i) { return norms[i]; });
  const double least = norms[*low], most = norms[*high], range = most - least;
  if (range <= rounding * most) return tokens;
  std::erase_if(tokens, [&](std::int64_t i) { return (norms[i] - least) / range < threshold; });
  return tokens;
}

void thin_evenly(std::vector<std::int64_t>& indices, std::int64_t limit) {
  const auto n = static_cast<std::int64_t>(indices.size());
  if (n <= limit) return;
  // Reads never fall behind writes, so the list can be thinned in place.
  for (std::int64_t i = 1; i < limit; ++i) indices[i] = indices[i * (n - 1) / (limit - 1)];
  indices.resize(limit);
}

}  // namespace

SelectedTokens select_tokens(const Features& features, const TokenSelection& selection, const char* name) {
  check_shape(features, name);
  const at::Tensor tokens = features.tokens.to(at::kFloat);
  const std::int64_t n = tokens.size(0), dim = tokens.size(1);
  const at::Tensor lengths = at::linalg_vector_norm(tokens, 2, at::IntArrayRef{1});
  const at::Tensor on_cpu = lengths.cpu().contiguous();
  const std::span<const float> norms(on_cpu.const_data_ptr<float>(), static_cast<std::size_t>(n));
  for (std::int64_t i = 0; i < n; ++i)
    if (!std::isfinite(norms[i]))
      throw Error(fmt::format(
          "tokens of {}: token {} (row {}, column {}) has a value that is NaN, infinite or too large", name,
          i, i / features.cols, i % features.cols));

  std::vector<std::int64_t> kept = strong_tokens(candidates(features, name), norms, selection.keypoint_th,
                                                 norm_rounding(features.tokens.scalar_type()));
  thin_evenly(kept, selection.max_features);

  SelectedTokens result;
  const auto count = static_cast<std::int64_t>(kept.size());
  result.indices = at::empty({count}, at::kLong);
  std::copy(kept.begin(), kept.end(), result.indices.mutable_data_ptr<std::int64_t>());
  // A zero token has no direction: it stays zero and its cosine with anything is 0.
  const at::Tensor scale = lengths.clamp_min(std::numeric_limits<float>::min()).reciprocal();
  if (count == n) {
    result.unit = tokens.mul(scale.unsqueeze(1));
  } else {
    const at::Tensor where = result.indices.to(tokens.device());
    result.unit = tokens.index_select(0, where).mul_(scale.index_select(0, where).unsqueeze(1));
  }
  result.unit = result.unit.reshape({count, dim}).contiguous();
  return result;
}

}  // namespace imatch
