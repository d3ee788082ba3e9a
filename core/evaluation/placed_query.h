// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <limits>
#include <optional>
#include <span>
#include <string>

#include "base/options.h"
#include "geo/distance.h"

namespace imatch {

/// A query on a map: where it was taken and where it was predicted to be, either unknown.
struct PlacedQuery {
  std::string query;
  std::optional<LatLon> truth;
  std::optional<LatLon> predicted;
  std::string predicted_name;  ///< Of the reference that the prediction rests on; may be empty.
  double error_m = std::numeric_limits<double>::quiet_NaN();  ///< Between the two.
  Json properties = Json::object();                           ///< More of the prediction, for GeoJSON.
};

/// The query that an object describes: query (string), truth and predicted ({latitude_deg, longitude_deg}),
/// predicted_name, error_m, properties; all but the first may be missing. `what` names the function in
/// errors. Throws Error for another type, or a position that is none.
PlacedQuery placed_query_from(const Json& object, const char* what);

/// GeoJSON (RFC 7946): of each query a point of kind "query" (the true position) and one of kind
/// "prediction", and a line of kind "error" between the two. Each has the properties kind, query, predicted
/// and error_m; a prediction its own besides. Throws Failure (unwritable, no_space).
void write_geojson(const std::string& path, std::span<const PlacedQuery> queries);

/// The same as KML 2.2 (OGC 07-147r2). Not by GDAL, whose KML driver writes no styles for points. What XML
/// cannot hold in a name (control characters, bytes that are not UTF-8) becomes U+FFFD. Throws Failure
/// (unwritable, no_space).
void write_kml(const std::string& path, std::span<const PlacedQuery> queries);

}  // namespace imatch
