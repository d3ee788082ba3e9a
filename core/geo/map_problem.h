// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gdal.h>

#include <array>
#include <string>

namespace imatch {

/// Why a file that is there cannot be opened as a GeoTIFF; `reason` is GDAL's own.
std::string why_no_geotiff(const std::string& path, const std::string& reason);

/// Why an opened raster has no place on Earth that could be used: no coordinate reference system, no
/// geotransform but ground control points or rational polynomials, or coordinates that cannot be the degrees
/// which its system counts in.
/// "" when all is well.
std::string why_no_place(GDALDatasetH dataset);

/// Whether longitudes in degrees are the map's first coordinate: then they may go beyond 180.
bool counts_in_degrees(GDALDatasetH dataset);

}  // namespace imatch
