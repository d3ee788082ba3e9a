// SPDX-License-Identifier: Apache-2.0
#include "evaluation/metric.h"

#include <cmath>
#include "catch.h"

#include "base/error.h"
#include "evaluation/curves.h"

using namespace imatch;

namespace {
constexpr double kInfinite = std::numeric_limits<double>::infinity();
}

TEST_CASE("A metric's name says its unit, its words and its direction") {
  const MetricDefinition corner = describe_metric("corner_error_px");
  CHECK(corner.unit == "px");
  CHECK(corner.label() == "corner error");
  CHECK(corner.better == Better::kLower);
  CHECK_THAT(corner.definition, Catch::Contains("four corners"));
  CHECK_THAT(describe_metric("mma_3px").definition, Catch::Contains("within 3px"));
  CHECK(describe_metric("my_loss").better == Better::kLower);
  CHECK(describe_metric("decode_ms").better == Better::kLower);
  CHECK(describe_metric("decode_ms").unit == "ms");
  CHECK(describe_metric("score").better == Better::kHigher);
  CHECK(describe_metric("score").definition.empty());
  CHECK_FALSE(describe_metric("num_matches").better.has_value());
}

TEST_CASE("A statistic of a metric has a title") {
  const MetricDefinition corner = describe_metric("corner_error_px"), score = describe_metric("score");
  CHECK(title_of(Statistic::parse("auc@10"), corner) == "AUC@10px of corner error");
  CHECK(title_of(Statistic::parse("share@10"), corner) == "share with corner error at most 10 px");
  CHECK(title_of(Statistic::parse("median"), corner) == "median corner error [px]");
  CHECK(title_of(Statistic::parse("quantile@0.9"), corner) == "0.9 quantile of corner error [px]");
  CHECK(title_of(Statistic::parse("share@0.5"), score) == "share with score at least 0.5");
  CHECK(title_of(Statistic(), score) == "mean score");
}

TEST_CASE("Pair errors become areas and shares with intervals over places") {
  const std::vector<double> errors{0.5, 2, 4, kInfinite};
  const std::vector<std::size_t> places{0, 0, 1, 1};
  const auto metrics = pair_error_metrics(errors, places);
  REQUIRE(metrics.size() == 8);
  CHECK(metrics[0].name == "auc@1px");
  CHECK(metrics[1].value == area_under_curve(errors, 3));
  CHECK(metrics[1].interval.low <= metrics[1].value);
  CHECK(metrics[1].interval.high >= metrics[1].value);
  CHECK(metrics[5].name == "share@3px");
  CHECK(metrics[5].value == 0.5);
  CHECK(metrics[7].value == 0.75);
  CHECK_THROWS_WITH(pair_error_metrics(std::vector<double>{-1}, std::vector<std::size_t>{0}),
                    Catch::Contains("-1 is not allowed"));
  CHECK_THROWS_AS(pair_error_metrics(std::vector<double>{std::nan("")}, std::vector<std::size_t>{0}), Error);
  const Json json = to_json(metrics[1]);
  CHECK(json["better"] == "higher");
  CHECK(json["low"].is_number());
}

TEST_CASE("Hit rates and failures count queries without a prediction") {
  const std::vector<double> errors{1, 4, 150};
  const std::vector<double> limits{1, 5};
  const auto hits = hit_rates(errors, limits, 4);
  CHECK(hits[0].name == "hit@1m");
  CHECK(hits[0].value == 0.25);
  CHECK(hits[1].value == 0.5);
  CHECK(failure_rate(errors, 100, 4).value == 0.5);
  CHECK(std::isnan(failure_rate({}, 100, 0).value));
  CHECK(to_json(failure_rate({}, 100, 0))["value"].is_null());
  CHECK_FALSE(to_json(hits[0]).contains("low"));
}

TEST_CASE("Curves hold what the charts show") {
  const std::vector<double> errors{0.5, 2, 200};
  const Json hit = hit_curve(errors, 4);
  REQUIRE(hit.size() == 101);
  CHECK(hit[0] == 0);
  CHECK(hit[1] == 0.25);
  CHECK(hit[100] == 0.5);
  CHECK(hit_curve({}, 0).empty());
  const Json box = box_of({3, 1, 2});
  CHECK(box["median"] == 2);
  CHECK(box["count"] == 3);
  CHECK(box_of({}).is_null());
}
