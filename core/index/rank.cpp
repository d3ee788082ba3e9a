// SPDX-License-Identifier: Apache-2.0
#include "index/rank.h"

#include <algorithm>

namespace imatch {

double exact_score(Metric metric, const float* a, const float* b, std::int64_t dim) {
  // Eight sums side by side, which the compiler turns into vector registers; added up in order at the end.
  constexpr int kLanes = 8;
  double sums[kLanes] = {};
  std::int64_t i = 0;
  if (metric == Metric::kInnerProduct) {
    for (; i + kLanes <= dim; i += kLanes)
      for (int lane = 0; lane < kLanes; ++lane)
        sums[lane] += static_cast<double>(a[i + lane]) * static_cast<double>(b[i + lane]);
    for (int lane = 0; i < dim; ++i, ++lane)
      sums[lane] += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  } else {
    const auto square = [&](std::int64_t at) {
      const double difference = static_cast<double>(a[at]) - static_cast<double>(b[at]);
      return difference * difference;
    };
    for (; i + kLanes <= dim; i += kLanes)
      for (int lane = 0; lane < kLanes; ++lane) sums[lane] += square(i + lane);
    for (int lane = 0; i < dim; ++i, ++lane) sums[lane] += square(i);
  }
  double sum = 0;
  for (const double s : sums) sum += s;
  return sum;
}

bool stands_before(Metric metric, const Candidate& a, const Candidate& b) {
  const float score_a = static_cast<float>(a.score), score_b = static_cast<float>(b.score);
  return score_a != score_b ? is_nearer(metric, score_a, score_b) : a.id < b.id;
}

void write_ranked(Metric metric, std::vector<Candidate>& candidates, std::int64_t k, float* scores,
                  std::int64_t* ids) {
  const auto kept = std::min<std::int64_t>(k, static_cast<std::int64_t>(candidates.size()));
  std::partial_sort(candidates.begin(), candidates.begin() + kept, candidates.end(),
                    [metric](const Candidate& a, const Candidate& b) { return stands_before(metric, a, b); });
  for (std::int64_t i = 0; i < kept; ++i) {
    scores[i] = static_cast<float>(candidates[i].score);
    ids[i] = candidates[i].id;
  }
  std::fill(scores + kept, scores + k, no_neighbour_score(metric));
  std::fill(ids + kept, ids + k, -1);
}

}  // namespace imatch
