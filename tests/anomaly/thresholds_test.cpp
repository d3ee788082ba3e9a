// SPDX-License-Identifier: Apache-2.0
#include "anomaly/thresholds.h"

#include <cmath>
#include <random>

#include "base/error.h"
#include "catch.h"

namespace imatch {
namespace {

const ScoredImages kScored{.scores = {1, 2, 3, 4, 10},
                           .map_maxima = {2, 4, 6, 8, 20},
                           .anomalous = {0, 0, 0, 0, 1},
                           .taken_from = "test images"};

TEST_CASE("thresholds are taken as their rule says") {
  CHECK(choose_thresholds(kScored, {}).rule == "f1");
  CHECK(choose_thresholds(kScored, {}).image == 7);
  const Thresholds quantile = choose_thresholds(kScored, {.rule = "quantile", .quantile = 0.5});
  CHECK(quantile.image == Approx(1.002 * 2.5));
  CHECK(quantile.pixel == Approx(1.002 * 5));
  CHECK(quantile.num_images == 4);
  const Thresholds fixed = choose_thresholds({}, {.rule = "fixed", .image = 7, .pixel = 8});
  CHECK(fixed.image == 7);
  CHECK(fixed.pixel == 8);
  ScoredImages normal = kScored;
  normal.anomalous.assign(5, 0);
  CHECK(choose_thresholds(normal, {}).rule == "quantile");
  CHECK_THROWS_AS(choose_thresholds(normal, {.rule = "f1"}), Error);
  normal.anomalous.assign(5, 1);
  CHECK_THROWS_AS(choose_thresholds(normal, {.rule = "quantile"}), Error);
  const Json table = quantile.to_json();
  CHECK(Thresholds::from_json(table, "t").to_json() == table);
  CHECK_THROWS_AS(Thresholds::from_json({{"image", "high"}}, "t"), Failure);
}

TEST_CASE("the extreme-value threshold is exceeded as often as asked") {
  std::mt19937_64 random(3);
  std::vector<float> values;
  for (int i = 0; i < 20000; ++i) {
    const double u = (static_cast<double>(random() >> 11) + 0.5) * 0x1p-53;
    values.push_back(static_cast<float>(5 - 2 * std::log(-std::log(u))));  // Gumbel(5, 2)
  }
  CHECK(gumbel_threshold(values, 0.01) == Approx(5 - 2 * std::log(-std::log(0.99))).epsilon(0.02));
  CHECK(gumbel_threshold({3, 3, 3}, 0.01) == Approx(3));
  CHECK_THROWS_AS(gumbel_threshold({3}, 0.01), Error);
}

}  // namespace
}  // namespace imatch
