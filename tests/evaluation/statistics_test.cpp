// SPDX-License-Identifier: Apache-2.0
#include "evaluation/statistics.h"

#include <cmath>
#include "catch.h"

#include "base/error.h"

using namespace imatch;

namespace {
constexpr double kInf = std::numeric_limits<double>::infinity();
}

TEST_CASE("the interval of a share is Wilson's") {
  const Interval interval =
      wilson_interval(0.9, 10);  // statsmodels: proportion_confint(9, 10, method="wilson")
  CHECK(interval.low == Approx(0.59585).margin(1e-5));
  CHECK(interval.high == Approx(0.98212).margin(1e-5));
  CHECK(wilson_interval(1, 47).high == 1);
  CHECK(wilson_interval(0, 47).low == 0);
  CHECK(std::isnan(wilson_interval(0.5, 0).low));
}

TEST_CASE("Quantiles are NumPy's default") {
  // numpy.quantile([1, 2, 4, 8], [0, 0.1, 0.5, 0.9, 1])
  const std::vector<double> x{8, 1, 4, 2};
  CHECK(quantile_of(x, 0) == 1);
  CHECK(quantile_of(x, 0.1) == Approx(1.3));
  CHECK(median_of(x) == 3);
  CHECK(quantile_of(x, 0.9) == Approx(6.8));
  CHECK(quantile_of(x, 1) == 8);
  CHECK(std::isnan(median_of({})));
  CHECK(median_of({5}) == 5);
}

TEST_CASE("A quantile among infinities is one of them, never NaN") {
  CHECK(median_of({1, 2, kInf}) == 2);
  CHECK(median_of({1, kInf, kInf}) == kInf);
  CHECK(median_of({1, 2, kInf, kInf}) == kInf);
  CHECK(median_of({-kInf, -kInf, 1}) == -kInf);
}

TEST_CASE("Mean and deviation are those of NumPy") {
  const std::vector<double> x{1, 2, 4, 8};
  CHECK(mean_of(x) == 3.75);
  CHECK(deviation_of(x) == Approx(3.095695936834452));
  CHECK(deviation_of(std::vector<double>{3}) == 0);
  CHECK(std::isnan(mean_of({})));
  CHECK(std::isnan(deviation_of({})));
}

TEST_CASE("The area under the cumulative curve is that of SuperGlue's evaluation") {
  // errors = [0.5, 2, 4, inf]: recall rises to 1/4 at 0.5 and to 1/2 at 2.
  const std::vector<double> errors{0.5, 2, 4, kInf};
  CHECK(area_under_curve(errors, 3) ==
        Approx((0.5 * 0.25 / 2 + 1.5 * (0.25 + 0.5) / 2 + 1 * 0.5) / 3).epsilon(1e-15));
  CHECK(area_under_curve({}, 3) == 0);
  CHECK(area_under_curve(std::vector<double>{0, 0}, 1) == 1);
  CHECK(area_under_curve(std::vector<double>{kInf}, 10) == 0);
}

TEST_CASE("A statistic is named by text") {
  const std::vector<double> errors{0.5, 2, 4, kInf};
  const auto value = [&](const char* text) {
    return Statistic::parse(text).of_sorted(errors, Better::kLower);
  };
  CHECK(value("mean") == kInf);
  CHECK(value("median") == 3);
  CHECK(value("quantile@0.25") == Approx(1.625));
  CHECK(value("share@2") == 0.5);
  CHECK(value("auc@3") == area_under_curve(errors, 3));
  CHECK(Statistic::parse("share@0.5").of_sorted(std::vector<double>{0.1, 0.5, 0.9}, Better::kHigher) ==
        Approx(2 / 3.0));
  CHECK(Statistic::parse("share@2").better(Better::kLower) == Better::kHigher);
  CHECK(Statistic::parse("median").better(Better::kLower) == Better::kLower);
  for (const char* text : {"", "meen", "auc", "auc@", "auc@0", "auc@-1", "auc@x", "auc@1x", "quantile@1.5",
                           "share@nan", "share@inf", "mean@1"})
    CHECK_THROWS_WITH(Statistic::parse(text), Catch::Contains("is not allowed; expected 'mean'"));
  CHECK_THROWS_WITH(Statistic::parse("auc@1").of_sorted(errors, Better::kHigher),
                    Catch::Contains("expected the direction 'min'"));
  CHECK_THROWS_WITH(Statistic::parse("auc@1").of_sorted(std::vector<double>{-1}, Better::kLower),
                    Catch::Contains("-1 is among the values"));
}

TEST_CASE("The bootstrap draws whole units and suits the statistic") {
  const std::vector<double> values{1, 1, 9, 9, 5, 5};
  const std::vector<std::size_t> places{0, 0, 7, 7, 3, 3}, single{0, 1, 2, 3, 4, 5};
  const Statistic mean;
  const Interval by_place = bootstrap(values, places, mean, Better::kLower);
  const Interval by_value = bootstrap(values, single, mean, Better::kLower);
  CHECK(by_place.low < 5);
  CHECK(by_place.high > 5);
  CHECK(by_place.high - by_place.low > by_value.high - by_value.low);  // fewer independent ones

  const Interval share = bootstrap(values, single, Statistic::parse("share@5"), Better::kLower);
  CHECK(share.low >= 0);
  CHECK(share.low < 4 / 6.0);
  CHECK(share.high == 1);
  // All alike: no uncertainty, in whatever statistic; and of nothing nothing is known.
  for (const char* text : {"mean", "median", "quantile@0.9", "share@5", "auc@10"}) {
    const Interval none = bootstrap(std::vector<double>{5, 5, 5}, std::vector<std::size_t>{0, 1, 2},
                                    Statistic::parse(text), Better::kLower);
    CHECK(none.low == none.high);
    CHECK(std::isnan(bootstrap({}, {}, Statistic::parse(text), Better::kLower).low));
  }
  CHECK_THROWS_WITH(bootstrap(values, {}, mean, Better::kLower), Catch::Contains("0 units for 6 values"));
}

TEST_CASE("The median's interval is that of the order statistics") {
  // Of 1..n the bootstrap median is about normal around (n + 1) / 2 with deviation sqrt(n) / 2.
  std::vector<double> values;
  std::vector<std::size_t> units;
  for (std::size_t i = 1; i <= 401; ++i) values.push_back(static_cast<double>(i)), units.push_back(i);
  const Interval interval = bootstrap(values, units, Statistic::parse("median"), Better::kLower);
  CHECK(interval.low == Approx(201 - 1.96 * std::sqrt(401) / 2).margin(3));
  CHECK(interval.high == Approx(201 + 1.96 * std::sqrt(401) / 2).margin(3));
}

TEST_CASE("Differences of statistics are of pairs that are drawn together") {
  const std::vector<double> a{1, 5, 9, 20}, b{2, 6, 10, 21};
  const std::vector<std::size_t> units{0, 1, 2, 3};
  for (const char* text : {"mean", "median", "quantile@0.9"}) {
    const Estimate d = paired_difference(a, b, units, Statistic::parse(text), Better::kLower);
    CHECK(d.value == Approx(1));  // one more in each pair, in each resample
    CHECK(d.interval.low == Approx(1));
    CHECK(d.interval.high == Approx(1));
  }
  const Estimate share = paired_difference(a, b, units, Statistic::parse("share@5"), Better::kLower);
  CHECK(share.value == -0.25);
  CHECK(share.interval.high == 0);
  CHECK(share.interval.low < -0.25);
  CHECK_THROWS_WITH(paired_difference(a, {}, units, Statistic(), Better::kLower),
                    Catch::Contains("4 values and 0"));
}
