// SPDX-License-Identifier: Apache-2.0
#include "index/exact_index.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/nonzero.h>
#include <ATen/ops/sort.h>
#include <ATen/ops/topk.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/device.h"
#include "index/vectors.h"

namespace imatch {
namespace {

constexpr std::int64_t kMore = 8;          ///< Candidates beyond k.
constexpr std::int64_t kQueryBlock = 256;  ///< Queries a turn.
constexpr std::int64_t kRowBlock = 65536;  ///< Vectors a matrix product.
constexpr std::int64_t kRescoreValues = 1 << 24;

/// Rows of (score, position) by score as float32, nearest first, ties by position.
void sort_rows(Metric metric, at::Tensor& scores, at::Tensor& positions) {
  const at::Tensor by_position = std::get<1>(at::sort(positions, /*stable=*/true, 1, false));
  scores = scores.gather(1, by_position).to(at::kFloat);
  positions = positions.gather(1, by_position);
  const at::Tensor by_score =
      std::get<1>(at::sort(scores, /*stable=*/true, 1, metric == Metric::kInnerProduct));
  scores = scores.gather(1, by_score);
  positions = positions.gather(1, by_score);
}

}  // namespace

ExactIndex::ExactIndex(const at::Tensor& vectors, const ExactIndexOptions& options)
    : metric_(metric_of(std::string_view(options.metric))), source_(options.source) {
  const at::NoGradGuard no_gradients;
  vectors_ = check_vectors(vectors, metric_, "exact index").to(resolve_device(options.device));
  if (count() == 0) return;
  const at::Tensor norms = at::linalg_vector_norm(vectors_, 2, at::IntArrayRef{1});
  largest_norm_ = norms.max().item<double>();
  if (metric_ == Metric::kL2) square_norms_ = norms.square();
}

at::Tensor ExactIndex::approximate_scores(const at::Tensor& queries, std::int64_t first,
                                          std::int64_t count) const {
  const at::Tensor products = at::mm(queries, vectors_.narrow(0, first, count).t());
  if (metric_ == Metric::kInnerProduct) return products;
  // The query's own length is the same for all.
  return square_norms_.narrow(0, first, count).unsqueeze(0).sub(products, 2);
}

at::Tensor ExactIndex::exact_scores(const at::Tensor& queries, const at::Tensor& positions) const {
  const std::int64_t m = positions.size(1);
  const std::int64_t step = std::max<std::int64_t>(1, kRescoreValues / std::max<std::int64_t>(1, m * dim()));
  std::vector<at::Tensor> parts;
  for (std::int64_t q = 0; q < queries.size(0); q += step) {
    const std::int64_t some = std::min(step, queries.size(0) - q);
    const at::Tensor rows = vectors_.index_select(0, positions.narrow(0, q, some).reshape(-1))
                                .view({some, m, dim()})
                                .to(at::kDouble);
    const at::Tensor of_queries = queries.narrow(0, q, some).unsqueeze(1).to(at::kDouble);
    parts.push_back(metric_ == Metric::kInnerProduct ? rows.mul(of_queries).sum(-1)
                                                     : rows.sub(of_queries).square().sum(-1));
  }
  return at::cat(parts);
}

at::Tensor ExactIndex::all_as_near(const at::Tensor& query, std::int64_t k, double rounding) const {
  std::vector<at::Tensor> parts;
  for (std::int64_t first = 0; first < count(); first += kRowBlock)
    parts.push_back(approximate_scores(query.unsqueeze(0), first, std::min(kRowBlock, count() - first))[0]);
  const at::Tensor scores = at::cat(parts);
  const bool highest = metric_ == Metric::kInnerProduct;
  const double kth = std::get<0>(at::topk(scores, k, 0, highest))[k - 1].item<double>();
  const at::Tensor near = highest ? scores.ge(kth - 2 * rounding) : scores.le(kth + 2 * rounding);
  return at::nonzero(near).squeeze(1);
}

Neighbours ExactIndex::search(const at::Tensor& queries, std::int64_t k, const VectorSource& source) const {
  const at::NoGradGuard no_gradients;
  require_same_source(source, source_, "search");
  const at::Tensor rows = check_vectors(queries, metric_, "search").to(vectors_.device());
  require_same_dim(rows.size(1), dim(), source_, "search");
  const std::int64_t n = rows.size(0), found = std::min(k, count());
  Neighbours result{at::full({n, k}, no_neighbour_score(metric_), at::kFloat),
                    at::full({n, k}, -1, at::kLong)};
  if (found == 0) return result;
  const bool highest = metric_ == Metric::kInnerProduct;
  const std::int64_t capacity = std::min(count(), found + kMore);
  for (std::int64_t begin = 0; begin < n; begin += kQueryBlock) {
    const at::Tensor block = rows.narrow(0, begin, std::min(kQueryBlock, n - begin));
    at::Tensor scores, positions;
    for (std::int64_t first = 0; first < count(); first += kRowBlock) {
      const std::int64_t some = std::min(kRowBlock, count() - first);
      auto [values, places] =
          at::topk(approximate_scores(block, first, some), std::min(capacity, some), 1, highest);
      places = places.add(first);
      scores = scores.defined() ? at::cat({scores, values}, 1) : values;
      positions = positions.defined() ? at::cat({positions, places}, 1) : places;
      if (scores.size(1) > capacity) {
        const auto [best, where] = at::topk(scores, capacity, 1, highest);
        positions = positions.gather(1, where);
        scores = best;
      }
    }
    // No vector that was left out has a better score than the worst of these, but for rounding
    // (flat_search.h).
    const at::Tensor norms =
        at::linalg_vector_norm(block, 2, at::IntArrayRef{1}).to(at::kCPU).to(at::kDouble);
    at::Tensor worst = (highest ? scores.amin(1) : scores.amax(1)).to(at::kDouble).to(at::kCPU);
    if (!highest) worst = worst.add(norms.square());
    at::Tensor exact = exact_scores(block, positions);
    sort_rows(metric_, exact, positions);
    const at::Tensor kth = exact.select(1, found - 1).to(at::kDouble).to(at::kCPU);
    result.scores.narrow(0, begin, block.size(0)).narrow(1, 0, found).copy_(exact.narrow(1, 0, found));
    result.ids.narrow(0, begin, block.size(0)).narrow(1, 0, found).copy_(positions.narrow(1, 0, found));
    if (capacity == count()) continue;
    for (std::int64_t q = 0; q < block.size(0); ++q) {
      const double terms = 4 * std::numeric_limits<float>::epsilon() * std::sqrt(static_cast<double>(dim()));
      const double length = norms.const_data_ptr<double>()[q];
      const double rounding =
          terms * (highest ? length * largest_norm_ : (length + largest_norm_) * (length + largest_norm_));
      const double bound = worst.const_data_ptr<double>()[q] + (highest ? rounding : -rounding);
      if (is_nearer(metric_, kth.const_data_ptr<double>()[q], bound)) continue;
      at::Tensor near = all_as_near(block[q], found, rounding).unsqueeze(0);
      at::Tensor near_scores = exact_scores(block.narrow(0, q, 1), near);
      sort_rows(metric_, near_scores, near);
      result.scores[begin + q].narrow(0, 0, found).copy_(near_scores[0].narrow(0, 0, found));
      result.ids[begin + q].narrow(0, 0, found).copy_(near[0].narrow(0, 0, found));
    }
  }
  return result;
}

}  // namespace imatch
