// SPDX-License-Identifier: Apache-2.0
#include "index/flat_search.h"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/from_blob.h>
#include <faiss/utils/distances.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "base/progress.h"
#include "base/stop.h"
#include "index/rank.h"
#include "nn/linear_layer.h"

namespace imatch {
namespace {

constexpr std::int64_t kMore = 8;               ///< Candidates beyond k.
constexpr std::int64_t kQueryBlock = 1024;      ///< Queries a turn.
constexpr std::int64_t kFewQueries = 20;        ///< Below, a matrix product does not pay.
constexpr std::int64_t kBlockBytes = 64 << 20;  ///< Of a mapped file, a turn.

/// Visits the vectors in blocks of aligned floats: visit(floats, first_row, count).
template <class Visit>
void for_each_block(const FlatVectors& base, Visit visit) {
  if (reinterpret_cast<std::uintptr_t>(base.bytes) % alignof(float) == 0) {
    visit(reinterpret_cast<const float*>(base.bytes), std::int64_t{0}, base.count);
    return;
  }
  const std::int64_t row_bytes = base.dim * static_cast<std::int64_t>(sizeof(float));
  const std::int64_t rows = std::max<std::int64_t>(1, kBlockBytes / row_bytes);
  std::vector<float> block(static_cast<std::size_t>(std::min(rows, base.count) * base.dim));
  for (std::int64_t first = 0; first < base.count; first += rows) {
    check_stop();
    const std::int64_t count = std::min(rows, base.count - first);
    std::memcpy(block.data(), base.bytes + first * row_bytes, static_cast<std::size_t>(count * row_bytes));
    visit(block.data(), first, count);
  }
}

const float* row_of(const FlatVectors& base, std::int64_t row, std::vector<float>& buffer) {
  const std::byte* at = base.bytes + row * base.dim * static_cast<std::int64_t>(sizeof(float));
  if (reinterpret_cast<std::uintptr_t>(at) % alignof(float) == 0) return reinterpret_cast<const float*>(at);
  buffer.resize(static_cast<std::size_t>(base.dim));
  std::memcpy(buffer.data(), at, buffer.size() * sizeof(float));
  return buffer.data();
}

/// The best `capacity` of what is offered, as a heap with the worst on top.
class Best {
 public:
  Best(Metric metric, std::int64_t capacity)
      : metric_(metric), capacity_(static_cast<std::size_t>(capacity)) {}

  void offer(float score, std::int64_t row) {
    const auto worst_on_top = [this](const Candidate& a, const Candidate& b) {
      return is_nearer(metric_, a.score, b.score);
    };
    if (kept.size() == capacity_) {
      if (!is_nearer(metric_, score, kept.front().score)) return;
      std::pop_heap(kept.begin(), kept.end(), worst_on_top);
      kept.back() = {score, row};
    } else {
      kept.push_back({score, row});
    }
    std::push_heap(kept.begin(), kept.end(), worst_on_top);
  }
  /// The worst score kept once full: nothing left out is nearer.
  float worst() const {
    return kept.size() < capacity_ ? no_neighbour_score(metric_) : static_cast<float>(kept.front().score);
  }
  bool is_full() const { return kept.size() == capacity_; }

  std::vector<Candidate> kept;

 private:
  Metric metric_;
  std::size_t capacity_;
};

/// Scores of one query and some vectors, in float32.
void score_rows(Metric metric, const float* query, const float* rows, std::int64_t dim, std::int64_t count,
                float* scores) {
  if (metric == Metric::kInnerProduct)
    faiss::fvec_inner_products_ny(scores, query, rows, static_cast<std::size_t>(dim),
                                  static_cast<std::size_t>(count));
  else
    faiss::fvec_L2sqr_ny(scores, query, rows, static_cast<std::size_t>(dim), static_cast<std::size_t>(count));
}

/// Offers what is nearer than the worst kept; whole groups that are not are passed over at the speed of
/// memory.
template <class Score>
void offer_scores(Best& best, Metric metric, std::int64_t first, std::int64_t count, Score score) {
  constexpr std::int64_t kGroup = 16;
  float worst = best.worst();
  for (std::int64_t j = 0; j < count; j += kGroup) {
    const std::int64_t end = std::min(j + kGroup, count);
    int nearer = 0;
    if (metric == Metric::kInnerProduct)
      for (std::int64_t i = j; i < end; ++i) nearer += score(i) > worst ? 1 : 0;
    else
      for (std::int64_t i = j; i < end; ++i) nearer += score(i) < worst ? 1 : 0;
    if (nearer == 0) continue;
    for (std::int64_t i = j; i < end; ++i) best.offer(score(i), first + i);
    worst = best.worst();
  }
}

/// Few queries: threads share out the vectors, which are read once for all queries.
void offer_by_rows(Metric metric, const float* queries, std::int64_t num_queries, const float* rows,
                   std::int64_t first, std::int64_t count, std::int64_t dim, std::int64_t capacity,
                   std::vector<Best>& best) {
  const std::int64_t num_slices =
      std::max<std::int64_t>(1, std::min<std::int64_t>(at::get_num_threads(), count / 1024));
  std::vector<std::vector<Best>> of_slice(
      static_cast<std::size_t>(num_slices),
      std::vector<Best>(static_cast<std::size_t>(num_queries), Best(metric, capacity)));
  at::parallel_for(0, num_slices, 1, [&](std::int64_t begin, std::int64_t end) {
    constexpr std::int64_t kStep = 256;
    float scores[kStep];
    for (std::int64_t slice = begin; slice < end; ++slice) {
      const std::int64_t from = count * slice / num_slices, to = count * (slice + 1) / num_slices;
      for (std::int64_t row = from; row < to; row += kStep) {
        const std::int64_t some = std::min(kStep, to - row);
        for (std::int64_t q = 0; q < num_queries; ++q) {
          score_rows(metric, queries + q * dim, rows + row * dim, dim, some, scores);
          offer_scores(of_slice[slice][q], metric, first + row, some,
                       [&](std::int64_t i) { return scores[i]; });
        }
      }
    }
  });
  for (const auto& slice : of_slice)
    for (std::int64_t q = 0; q < num_queries; ++q)
      for (const Candidate& c : slice[q].kept) best[q].offer(static_cast<float>(c.score), c.id);
}

/// Many queries: by matrix products.
void offer_by_product(Metric metric, const float* queries, std::int64_t num_queries, const float* rows,
                      std::int64_t first, std::int64_t count, std::int64_t dim, std::int64_t,
                      std::vector<Best>& best) {
  constexpr std::int64_t kStep = 4096;  // with a block of queries 16 MB: smaller products are half as fast
  const auto matrix = [dim](const float* values, std::int64_t n) {
    return at::from_blob(const_cast<float*>(values), {n, dim}, at::kFloat);
  };
  const at::Tensor of_queries = matrix(queries, num_queries);
  std::vector<float> query_norms(static_cast<std::size_t>(num_queries)), norms(kStep);
  if (metric == Metric::kL2)
    faiss::fvec_norms_L2sqr(query_norms.data(), queries, static_cast<std::size_t>(dim), query_norms.size());
  for (std::int64_t row = 0; row < count; row += kStep) {
    check_stop();
    const std::int64_t some = std::min(kStep, count - row);
    const LinearLayer times_rows(matrix(rows + row * dim, some), {}, LinearLayer::Storage::kShared);
    const at::Tensor products = times_rows(of_queries);
    if (metric == Metric::kL2)
      faiss::fvec_norms_L2sqr(norms.data(), rows + row * dim, static_cast<std::size_t>(dim),
                              static_cast<std::size_t>(some));
    const float* values = products.const_data_ptr<float>();
    at::parallel_for(0, num_queries, 16, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t q = begin; q < end; ++q) {
        const float* of_query = values + q * some;
        if (metric == Metric::kInnerProduct)
          offer_scores(best[q], metric, first + row, some, [&](std::int64_t i) { return of_query[i]; });
        else
          offer_scores(best[q], metric, first + row, some, [&, own = query_norms[q]](std::int64_t i) {
            return own + norms[i] - 2 * of_query[i];
          });
      }
    });
  }
}

class QueryFinisher {
 public:
  QueryFinisher(const FlatVectors& base, Metric metric, const float* query, std::int64_t k)
      : base_(base), metric_(metric), query_(query), k_(k) {
    for (std::int64_t i = 0; i < base.dim; ++i) query_norm_ += static_cast<double>(query[i]) * query[i];
    query_norm_ = std::sqrt(query_norm_);
  }

  void finish(Best& best, float* scores, std::int64_t* ids) {
    std::vector<Candidate> candidates = rescored(best.kept);
    const auto complete = static_cast<std::int64_t>(candidates.size()) == base_.count;
    if (!complete && !is_certain(candidates, best.worst())) candidates = all_as_near();
    write_ranked(metric_, candidates, k_, scores, ids);
  }

 private:
  /// What rounding in float32 may change of a score: the usual growth with the square root of the number of
  /// terms, four times.
  double rounding() const {
    const double terms =
        4 * std::numeric_limits<float>::epsilon() * std::sqrt(static_cast<double>(base_.dim));
    return metric_ == Metric::kInnerProduct
               ? terms * query_norm_ * largest_norm_
               : terms * (query_norm_ + largest_norm_) * (query_norm_ + largest_norm_);
  }

  std::vector<Candidate> rescored(const std::vector<Candidate>& rows) {
    std::vector<Candidate> result;
    result.reserve(rows.size());
    for (const Candidate& c : rows) {
      const float* row = row_of(base_, c.id, buffer_);
      largest_norm_ =
          std::max(largest_norm_, std::sqrt(exact_score(Metric::kInnerProduct, row, row, base_.dim)));
      result.push_back({exact_score(metric_, query_, row, base_.dim), base_.ids ? base_.ids[c.id] : c.id});
    }
    return result;
  }

  bool is_certain(std::vector<Candidate>& candidates, double worst) const {
    const auto kth = candidates.begin() + (k_ - 1);
    std::nth_element(candidates.begin(), kth, candidates.end(),
                     [this](const Candidate& a, const Candidate& b) { return stands_before(metric_, a, b); });
    return is_nearer(metric_, kth->score,
                     worst + (metric_ == Metric::kInnerProduct ? rounding() : -rounding()));
  }

  /// Every vector that could be among the first k but for rounding.
  std::vector<Candidate> all_as_near() {
    std::vector<float> approximate(static_cast<std::size_t>(base_.count));
    for_each_block(base_, [&](const float* rows, std::int64_t first, std::int64_t count) {
      at::parallel_for(0, count, 4096, [&](std::int64_t begin, std::int64_t end) {
        score_rows(metric_, query_, rows + begin * base_.dim, base_.dim, end - begin,
                   approximate.data() + first + begin);
      });
    });
    std::vector<float> sorted = approximate;
    std::nth_element(sorted.begin(), sorted.begin() + (k_ - 1), sorted.end(),
                     [this](float a, float b) { return is_nearer(metric_, a, b); });
    const double slack = 2 * rounding();
    const double limit = sorted[k_ - 1] + (metric_ == Metric::kInnerProduct ? -slack : slack);
    std::vector<Candidate> rows;
    for (std::int64_t row = 0; row < base_.count; ++row)
      if (!is_nearer(metric_, limit, approximate[row])) rows.push_back({approximate[row], row});
    return rescored(rows);
  }

  const FlatVectors& base_;
  Metric metric_;
  const float* query_;
  std::int64_t k_;
  double query_norm_ = 0;
  double largest_norm_ = 0;
  std::vector<float> buffer_;
};

}  // namespace

void flat_search(const FlatVectors& base, Metric metric, const float* queries, std::int64_t num_queries,
                 std::int64_t k, float* scores, std::int64_t* ids) {
  const std::int64_t found = std::min(k, base.count);
  if (found == 0) {
    std::fill(scores, scores + num_queries * k, no_neighbour_score(metric));
    std::fill(ids, ids + num_queries * k, -1);
    return;
  }
  const at::NoGradGuard no_gradients;
  const std::int64_t capacity = std::min(base.count, found + kMore);
  Progress progress("search", "queries", static_cast<std::size_t>(num_queries));
  for (std::int64_t begin = 0; begin < num_queries; begin += kQueryBlock, progress.advance(kQueryBlock)) {
    const std::int64_t some = std::min(kQueryBlock, num_queries - begin);
    const float* block = queries + begin * base.dim;
    std::vector<Best> best(static_cast<std::size_t>(some), Best(metric, capacity));
    for_each_block(base, [&](const float* rows, std::int64_t first, std::int64_t count) {
      const auto offer = some < kFewQueries ? offer_by_rows : offer_by_product;
      offer(metric, block, some, rows, first, count, base.dim, capacity, best);
    });
    at::parallel_for(0, some, 8, [&](std::int64_t from, std::int64_t to) {
      for (std::int64_t q = from; q < to; ++q) {
        float* out_scores = scores + (begin + q) * k;
        std::int64_t* out_ids = ids + (begin + q) * k;
        QueryFinisher(base, metric, block + q * base.dim, found).finish(best[q], out_scores, out_ids);
        std::fill(out_scores + found, out_scores + k, no_neighbour_score(metric));
        std::fill(out_ids + found, out_ids + k, -1);
      }
    });
  }
}

}  // namespace imatch
