// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <string>

#include "geo/distance.h"

namespace imatch {

/// A query on a map: where it was taken and where it was held to be, either unknown.
struct PlacedQuery {
  std::string query;
  std::optional<LatLon> truth;
  std::optional<LatLon> predicted;
  std::string predicted_name;  ///< Of the prediction's placemark.
  double error_m = 0;          ///< Of the line between the two; used when both are known.
};

/// The queries as KML 2.2 (OGC 07-147r2): placemarks of truth and prediction, and a line from one to the
/// other. Throws Failure (unwritable, no_space).
void write_kml(const std::string& path, std::span<const PlacedQuery> queries);

}  // namespace imatch
