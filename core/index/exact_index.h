// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <string>

#include "base/field.h"
#include "index/fingerprint.h"
#include "index/metric.h"
#include "index/neighbours.h"

namespace imatch {

struct ExactIndexOptions {
  std::string metric = "inner_product";
  std::string device = "cpu";
  VectorSource source = {};
  static constexpr auto fields =
      std::tuple{field("metric", &ExactIndexOptions::metric, one_of(kMetricNames), "As of index.new."),
                 field("device", &ExactIndexOptions::device, anything(),
                       "'cpu', 'cuda' or 'cuda:1': where the vectors lie."),
                 field("source", &ExactIndexOptions::source, anything(), "Where the vectors come from.")};
};

/// Exact nearest neighbours by LibTorch alone, on a CPU or GPU: matrix products by blocks, the best of each
/// by topk, scores of the few that remain in float64. CPU and GPU give the same neighbours, ties by id. Ids
/// are positions. Immutable. Throws Error as Index does.
class ExactIndex {
 public:
  /// `vectors` [n, D].
  explicit ExactIndex(const at::Tensor& vectors, const ExactIndexOptions& options = {});

  std::int64_t dim() const { return vectors_.size(1); }
  std::int64_t count() const { return vectors_.size(0); }
  Metric metric() const { return metric_; }
  const VectorSource& source() const { return source_; }
  const at::Tensor& vectors() const { return vectors_; }

  /// The k nearest of each query, [n, D] or [D], on any device.
  Neighbours search(const at::Tensor& queries, std::int64_t k, const VectorSource& source = {}) const;

 private:
  at::Tensor approximate_scores(const at::Tensor& queries, std::int64_t first, std::int64_t count) const;
  at::Tensor exact_scores(const at::Tensor& queries, const at::Tensor& positions) const;
  /// Every position whose score could be among the first k of one query [D].
  at::Tensor all_as_near(const at::Tensor& query, std::int64_t k, double rounding) const;

  at::Tensor vectors_;       ///< [n, D] float32 on the device.
  at::Tensor square_norms_;  ///< [n] float32; for l2 only.
  double largest_norm_ = 0;
  Metric metric_;
  VectorSource source_;
};

}  // namespace imatch
