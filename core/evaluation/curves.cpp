// SPDX-License-Identifier: Apache-2.0
#include "evaluation/curves.h"

#include <algorithm>

#include "evaluation/statistics.h"

namespace imatch {

Json hit_curve(std::span<const double> errors_m, std::size_t num_all) {
  constexpr int kFarthest_m = 100;
  Json curve = Json::array();
  for (int m = 0; m <= kFarthest_m && num_all > 0; ++m) curve.push_back(share_within(errors_m, m, num_all));
  return curve;
}

Json box_of(std::vector<double> values) {
  if (values.empty()) return nullptr;
  std::sort(values.begin(), values.end());
  const auto at = [&](double q) { return quantile_of_sorted(values, q); };
  return {{"count", values.size()}, {"min", values.front()}, {"p5", at(0.05)},  {"q1", at(0.25)},
          {"median", at(0.5)},      {"q3", at(0.75)},        {"p95", at(0.95)}, {"max", values.back()}};
}

}  // namespace imatch
