// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace imatch {

/// How near two vectors are. The inner product of unit vectors is their cosine similarity: higher is nearer.
/// "l2" is the squared Euclidean distance, as FAISS has it: lower is nearer.
enum class Metric { kInnerProduct, kL2 };

inline constexpr std::string_view kMetricNames[] = {"inner_product", "l2"};

inline std::string_view metric_name(Metric metric) {
  return kMetricNames[static_cast<int>(metric)];
}
inline Metric metric_of(std::string_view name) {
  return name == kMetricNames[0] ? Metric::kInnerProduct : Metric::kL2;
}

/// The score of a place in a result for which there is no neighbour: worse than any.
float no_neighbour_score(Metric metric);

/// Whether score a is nearer than b.
inline bool is_nearer(Metric metric, double a, double b) {
  return metric == Metric::kInnerProduct ? a > b : a < b;
}

}  // namespace imatch
