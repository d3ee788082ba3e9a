// SPDX-License-Identifier: Apache-2.0
#include "evaluation/error_ellipse.h"

#include <cmath>
#include <limits>
#include <random>
#include <vector>
#include "catch.h"

using namespace imatch;

namespace {

/// Errors drawn from ellipses of many shapes, with `more_sigma_m` along each axis that the ellipses do not
/// have.
std::vector<PlaneError> drawn(int n, double more_sigma_m, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal;
  std::uniform_real_distribution<double> sigma(0.1, 1), correlation(-0.9, 0.9);
  std::vector<PlaneError> errors;
  for (int i = 0; i < n; ++i) {
    PlaneError e;
    e.east_sigma_m = sigma(random), e.north_sigma_m = sigma(random), e.correlation = correlation(random);
    const double u = normal(random), v = normal(random);
    e.east_m = e.east_sigma_m * u + more_sigma_m * normal(random);
    e.north_m = e.north_sigma_m * (e.correlation * u + std::sqrt(1 - e.correlation * e.correlation) * v) +
                more_sigma_m * normal(random);
    errors.push_back(e);
  }
  return errors;
}

}  // namespace

TEST_CASE("ellipses of the right size cover their share, too small ones less") {
  const auto right = drawn(20000, 0, 1);
  CHECK(ellipse_coverage(right, 0.68) == Approx(0.68).margin(0.01));
  CHECK(ellipse_coverage(right, 0.95) == Approx(0.95).margin(0.01));
  CHECK(unexplained_sigma_m(right) < 0.05);
  const auto small = drawn(20000, 0.7, 2);
  CHECK(ellipse_coverage(small, 0.68) < 0.45);
  CHECK(unexplained_sigma_m(small) == Approx(0.7).margin(0.02));
  CHECK(ellipse_coverage(small, 0.68, 0.7) == Approx(0.68).margin(0.01));
  const auto few = drawn(200, 0.7, 3);
  CHECK(ellipse_coverage_of_others(few, 0.68) == Approx(0.68).margin(0.08));
  CHECK(ellipse_coverage_of_others(few, 0.95) == Approx(0.95).margin(0.05));
}

TEST_CASE("the squared distance is that of the ellipse") {
  CHECK(squared_distance({.east_m = 3, .north_m = 0, .east_sigma_m = 1.5, .north_sigma_m = 9}) == Approx(4));
  CHECK(squared_distance({3, 4, 1, 1, 0}) == Approx(25));
  CHECK(squared_distance({1, 1, 1, 1, 0.5}) == Approx(4.0 / 3));  // along the axis of the ellipse
  CHECK(squared_distance({3, 4, 0, 0, 0}, 5) == Approx(1));
  CHECK(squared_distance({0, 0, 0, 0, 0}) == 0);
  CHECK(std::isinf(squared_distance({1, 0, 0, 0, 0})));
  CHECK(squared_radius_of(0.95) == Approx(5.9915).margin(1e-4));
}

TEST_CASE("without errors there is no coverage, and one alone has no others") {
  CHECK(std::isnan(ellipse_coverage({}, 0.68)));
  CHECK(std::isnan(unexplained_sigma_m({})));
  const std::vector<PlaneError> one{{1, 0, 2, 2, 0}};
  CHECK(ellipse_coverage_of_others(one, 0.68) == 1);
}
