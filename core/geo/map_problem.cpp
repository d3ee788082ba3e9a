// SPDX-License-Identifier: Apache-2.0
#include "geo/map_problem.h"

#include <fmt/format.h>
#include <ogr_srs_api.h>

#include <cmath>

#include "image/byte_source.h"

namespace imatch {

std::string why_no_geotiff(const std::string& path, const std::string& reason) {
  const FileSource file(path);
  if (file.has(0, "<VRTDataset"))
    return "a virtual raster (VRT), which names other files; `gdal_translate` makes a GeoTIFF of it";
  return "not a readable GeoTIFF: " + reason;
}

bool counts_in_degrees(GDALDatasetH dataset) {
  const OGRSpatialReferenceH system = GDALGetSpatialRef(dataset);
  return system && OSRIsGeographic(system) &&
         std::abs(OSRGetAngularUnits(system, nullptr) - 0.0174532925199433) < 1e-9;
}

std::string why_no_place(GDALDatasetH dataset) {
  const OGRSpatialReferenceH system = GDALGetSpatialRef(dataset);
  std::array<double, 6> t{};
  const bool has_transform = GDALGetGeoTransform(dataset, t.data()) == CE_None;
  constexpr const char* kWarp = ", so the place of a pixel depends on a model; `gdalwarp` makes a map of it";
  if (!has_transform && GDALGetGCPCount(dataset) > 0)
    return fmt::format("the GeoTIFF has {} ground control points in place of a geotransform{}",
                       GDALGetGCPCount(dataset), kWarp);
  if (!has_transform && GDALGetMetadata(dataset, "RPC"))
    return fmt::format("the GeoTIFF has rational polynomials (RPC) in place of a geotransform{}", kWarp);
  if (!system) return "the GeoTIFF has no coordinate reference system, so its place on Earth is unknown";
  if (!has_transform) return "the GeoTIFF has no geotransform, so its place on Earth is unknown";
  if (!counts_in_degrees(dataset)) return "";
  for (const double x : {0.0, static_cast<double>(GDALGetRasterXSize(dataset))})
    for (const double y : {0.0, static_cast<double>(GDALGetRasterYSize(dataset))}) {
      const double longitude = t[0] + x * t[1] + y * t[2], latitude = t[3] + x * t[4] + y * t[5];
      // A global map may begin half a pixel beyond the pole.
      if (std::abs(latitude) > 90 + std::abs(t[5]) + std::abs(t[4]) || std::abs(longitude) > 540)
        return fmt::format(
            "its system counts in degrees, and a corner lies at ({}, {}): metres labelled as degrees?",
            longitude, latitude);
    }
  return "";
}

}  // namespace imatch
