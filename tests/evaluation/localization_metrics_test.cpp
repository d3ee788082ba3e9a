// SPDX-License-Identifier: Apache-2.0
#include "evaluation/localization_metrics.h"

#include <cmath>
#include <map>
#include "catch.h"

#include "base/error.h"

using namespace imatch;

namespace {

/// One hundred-thousandth of a degree of latitude is 1.1119 m on the sphere of 6,371 km.
constexpr double kMetre = 1 / 111194.92664455873;

/// References every 10 m to the north.
std::vector<LatLon> ladder(int count) {
  std::vector<LatLon> positions;
  for (int i = 0; i < count; ++i) positions.push_back({10 * i * kMetre, 0});
  return positions;
}

RetrievedQuery query(double north_m, std::vector<std::int64_t> found) {
  RetrievedQuery q;
  q.name = "q";
  q.truth = LatLon{north_m * kMetre, 0};
  q.references = std::move(found);
  return q;
}

std::map<std::string, double> by_name(const LocalizationEvaluation& evaluation) {
  std::map<std::string, double> values;
  for (const MetricValue& metric : evaluation.metrics) values[metric.name] = metric.value;
  return values;
}

}  // namespace

TEST_CASE("Recalls, hits and distances of a few queries counted by hand") {
  LocalizationMetricsOptions options;
  options.radius_m = 12;
  options.recall_k = {1, 2};
  options.hit_m = {5, 25};
  options.failure_m = 50;
  // True references 0, 3 and 7. The first is found at once, the second on rank 2, the third never.
  const auto evaluation =
      evaluate_localization({query(1, {0, 4}), query(31, {5, 3}), query(72, {0, 1})}, ladder(10), options);
  auto m = by_name(evaluation);
  CHECK(m["n_all"] == 3);
  CHECK(m["recall@1"] == Approx(1 / 3.0));
  CHECK(m["recall@2"] == Approx(2 / 3.0));
  CHECK(m["R@1_all"] == Approx(1 / 3.0));
  CHECK(m["R@2_all"] == Approx(2 / 3.0));
  CHECK(m["rank_mean"] == 1.5);
  CHECK(m["rank_found"] == Approx(2 / 3.0));
  CHECK(m["hit@5m"] == Approx(1 / 3.0));
  CHECK(m["hit@25m"] == Approx(2 / 3.0));
  CHECK(m["top1_median_m"] == Approx(19).epsilon(1e-6));
  CHECK(m["top1_mean_m"] == Approx((1 + 19 + 72) / 3.0).epsilon(1e-6));
  CHECK(m["least_median_m"] == Approx(1).epsilon(1e-4));
  CHECK(m["failure_rate"] == Approx(1 / 3.0));
  CHECK(m["success_median_m"] == Approx(10).epsilon(1e-6));
  CHECK(evaluation.outcomes[1].rank == 2);
  CHECK(evaluation.outcomes[1].true_reference == 3);
  CHECK(evaluation.outcomes[2].rank == 0);
  CHECK(evaluation.warnings.empty());
  for (const MetricValue& metric : evaluation.metrics) CHECK_FALSE(metric.definition.empty());
}

TEST_CASE("A query without a result is a miss, one without a truth takes no part") {
  RetrievedQuery unknown = query(0, {0});
  unknown.truth.reset();
  const auto evaluation = evaluate_localization({query(0, {}), query(0, {-1}), unknown}, ladder(2));
  auto m = by_name(evaluation);
  CHECK(m["num_queries"] == 3);
  CHECK(m["n_all"] == 2);
  CHECK(m["hit@100m"] == 0);
  CHECK(m["failure_rate"] == 1);
  CHECK(std::isnan(m["top1_median_m"]));
  REQUIRE(evaluation.warnings.size() == 1);
  CHECK_THAT(evaluation.warnings[0], Catch::Contains("1 of 3 queries have no true position"));
  CHECK_THROWS_WITH(evaluate_localization({query(0, {2})}, ladder(2)),
                    Catch::Contains("result 1 is reference 2, there are 2"));
}

TEST_CASE("Scores that fall off with distance are 1 at the truth") {
  LocalizationMetricsOptions options;
  options.recall_k = {1};
  options.tile_width_m = 40;
  auto m = by_name(evaluate_localization({query(0, {0})}, ladder(1), options));
  CHECK(m["sdm_deg@1"] == 1);
  CHECK(m["sdm_m@1"] == 1);
  CHECK(m["pdm@1"] == Approx(1 / (1 + std::exp(-5.4))));
  CHECK(m["AP"] == 1);
  options.gt_sigma_m = 2;
  options.hit_m = {1};
  CHECK_THAT(evaluate_localization({query(0, {0})}, ladder(1), options).warnings.at(0),
             Catch::Contains("hit@1m: the true positions themselves are only good to 2 m"));
}
