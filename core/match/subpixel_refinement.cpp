// SPDX-License-Identifier: Apache-2.0
#include "match/subpixel_refinement.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/error.h"

namespace imatch {
namespace {

/// Tokens as rows of floats on the CPU.
class Rows {
 public:
  explicit Rows(const Features& features)
      : tokens_(features.tokens.to(at::kCPU, at::kFloat).contiguous()), dim_(tokens_.size(1)) {
    if (features.selectable.defined()) selectable_ = features.selectable.contiguous();
  }

  const float* row(std::int64_t token) const { return tokens_.const_data_ptr<float>() + token * dim_; }
  std::int64_t dim() const { return dim_; }
  bool is_selectable(std::int64_t token) const {
    return !selectable_.defined() || selectable_.const_data_ptr<bool>()[token];
  }

 private:
  at::Tensor tokens_;
  at::Tensor selectable_;
  std::int64_t dim_;
};

/// Cosine; none where a token is zero.
std::optional<double> cosine(const float* a, const float* b, std::int64_t dim) {
  double dot = 0, aa = 0, bb = 0;
  for (std::int64_t d = 0; d < dim; ++d) {
    dot += double{a[d]} * b[d];
    aa += double{a[d]} * a[d];
    bb += double{b[d]} * b[d];
  }
  if (aa == 0 || bb == 0) return std::nullopt;
  return dot / std::sqrt(aa * bb);
}

/// Vertex of the parabola through (-1, before), (0, at), (1, after), in [-0.5, 0.5].
double vertex(double before, double at, double after) {
  const double curvature = before - 2 * at + after;
  if (!(curvature < 0)) return 0;
  return std::clamp((before - after) / (2 * curvature), -0.5, 0.5);
}

}  // namespace

void refine_to_subpixel(Matches& matches, const Features& a, const Features& b) {
  if (matches.n_a != a.tokens.size(0) || matches.n_b != b.tokens.size(0))
    throw Error(fmt::format("subpixel refinement: matches of {} and {} tokens with features of {} and {}",
                            matches.n_a, matches.n_b, a.tokens.size(0), b.tokens.size(0)));
  const Rows rows_a(a), rows_b(b);
  for (std::size_t k = 0; k < matches.size(); ++k) {
    const std::int64_t at = matches.idx_b[k];
    const float* token = rows_a.row(matches.idx_a[k]);
    const auto similarity = [&](std::int64_t other) -> std::optional<double> {
      if (!rows_b.is_selectable(other)) return std::nullopt;
      return cosine(token, rows_b.row(other), rows_b.dim());
    };
    const std::optional<double> peak = similarity(at);
    const auto offset = [&](std::int64_t place, std::int64_t count, std::int64_t stride) {
      if (!peak || place == 0 || place == count - 1) return 0.0;
      const std::optional<double> before = similarity(at - stride), after = similarity(at + stride);
      return before && after ? vertex(*before, *peak, *after) : 0.0;
    };
    const std::int64_t row = at / b.cols, col = at % b.cols;
    matches.points_b[k] =
        b.original_from_grid({static_cast<double>(col) + 0.5 + offset(col, b.cols, 1),
                              static_cast<double>(row) + 0.5 + offset(row, b.rows, b.cols)});
  }
}

}  // namespace imatch
