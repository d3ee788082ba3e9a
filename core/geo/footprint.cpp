// SPDX-License-Identifier: Apache-2.0
#include "geo/footprint.h"

#include <fmt/format.h>

#include <cmath>
#include <numbers>

#include "base/error.h"

namespace imatch {
namespace {

void require_positive(const char* name, double value) {
  if (!(value > 0 && std::isfinite(value)))
    throw Error(fmt::format("{}: {} is not allowed; expected a number above 0", name, value));
}

/// Width over altitude.
double width_ratio(double fov_deg) {
  if (!(fov_deg > 0 && fov_deg < 180))
    throw Error(fmt::format("fov_deg: {} is not allowed; expected degrees in (0, 180)", fov_deg));
  return 2 * std::tan(fov_deg * std::numbers::pi / 360);
}

}  // namespace

double ground_width_m(double altitude_m, double fov_deg) {
  require_positive("altitude_m", altitude_m);
  return altitude_m * width_ratio(fov_deg);
}

double altitude_for_width_m(double width_m, double fov_deg) {
  require_positive("width_m", width_m);
  return width_m / width_ratio(fov_deg);
}

}  // namespace imatch
