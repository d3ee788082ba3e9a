// SPDX-License-Identifier: Apache-2.0
#include "evaluation/error_ellipse.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace imatch {
namespace {

struct Covariance {
  double xx = 0, yy = 0, xy = 0;
  double determinant() const { return xx * yy - xy * xy; }
};

Covariance covariance_of(const PlaneError& e, double more_sigma_m) {
  const double more = more_sigma_m * more_sigma_m;
  return {e.east_sigma_m * e.east_sigma_m + more, e.north_sigma_m * e.north_sigma_m + more,
          e.correlation * e.east_sigma_m * e.north_sigma_m};
}

/// Minus twice the log-likelihood of the errors, without its constant.
double deviance(std::span<const PlaneError> errors, double more_sigma_m) {
  constexpr double kLeast = 1e-12;  // m^4: an ellipse without extent is very unlikely, not impossible
  double sum = 0;
  for (const PlaneError& e : errors) {
    const double determinant = std::max(covariance_of(e, more_sigma_m).determinant(), kLeast);
    sum += std::log(determinant) + std::min(squared_distance(e, more_sigma_m), 1e12);
  }
  return sum;
}

/// More errors than this are not left out one by one: one among so many changes nothing.
constexpr std::size_t kMostLeftOut = 1000;

}  // namespace

double squared_distance(const PlaneError& error, double more_sigma_m) {
  const Covariance c = covariance_of(error, more_sigma_m);
  const double x = error.east_m, y = error.north_m;
  if (!(c.determinant() > 0)) return x == 0 && y == 0 ? 0 : std::numeric_limits<double>::infinity();
  return (c.yy * x * x - 2 * c.xy * x * y + c.xx * y * y) / c.determinant();
}

double squared_radius_of(double p) {
  return -2 * std::log1p(-p);
}

double ellipse_coverage(std::span<const PlaneError> errors, double p, double more_sigma_m) {
  const auto inside = std::count_if(errors.begin(), errors.end(), [&](const PlaneError& e) {
    return squared_distance(e, more_sigma_m) <= squared_radius_of(p);
  });
  return static_cast<double>(inside) / static_cast<double>(errors.size());
}

double unexplained_sigma_m(std::span<const PlaneError> errors) {
  if (errors.empty()) return std::numeric_limits<double>::quiet_NaN();
  double most = 0;
  for (const PlaneError& e : errors) most = std::max(most, std::hypot(e.east_m, e.north_m));
  // The best of a lattice, then golden sections around it: the deviance has one minimum for one spread of
  // errors.
  constexpr int kSteps = 64;
  int best = 0;
  double least = std::numeric_limits<double>::infinity();
  for (int k = 0; k <= kSteps; ++k)
    if (const double d = deviance(errors, most * k / kSteps); d < least) least = d, best = k;
  double low = most * std::max(0, best - 1) / kSteps, high = most * std::min(kSteps, best + 1) / kSteps;
  constexpr double kGolden = 0.6180339887498949;
  for (int i = 0; i < 40; ++i) {
    const double a = high - kGolden * (high - low), b = low + kGolden * (high - low);
    if (deviance(errors, a) <= deviance(errors, b))
      high = b;
    else
      low = a;
  }
  return deviance(errors, 0) <= deviance(errors, (low + high) / 2) ? 0 : (low + high) / 2;
}

double ellipse_coverage_of_others(std::span<const PlaneError> errors, double p) {
  if (errors.size() > kMostLeftOut) return ellipse_coverage(errors, p, unexplained_sigma_m(errors));
  double inside = 0;
  for (std::size_t i = 0; i < errors.size(); ++i) {
    std::vector<PlaneError> others(errors.begin(), errors.end());
    others.erase(others.begin() + static_cast<std::ptrdiff_t>(i));
    const double sigma_m = others.empty() ? 0 : unexplained_sigma_m(others);
    inside += squared_distance(errors[i], sigma_m) <= squared_radius_of(p);
  }
  return inside / static_cast<double>(errors.size());
}

}  // namespace imatch
