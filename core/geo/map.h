// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/field.h"
#include "geo/distance.h"
#include "geo/local_frame.h"
#include "geometry/planar.h"

namespace imatch {

struct GeoMapOptions {
  std::optional<double> value_low;
  std::optional<double> value_high;
  bool side_files = false;
  static constexpr auto fields = std::tuple{
      field("value_low", &GeoMapOptions::value_low, anything(),
            "Raster value shown as black, for maps of more than 8 bits; the 1st percentile when left out."),
      field("value_high", &GeoMapOptions::value_high, anything(),
            "Raster value shown as white; the 99th percentile when left out."),
      field("side_files", &GeoMapOptions::side_files, anything(),
            "Also read what other programs may have left beside the map: .ovr, .msk, .aux.xml, .tfw."),
  };
};

/// Row-major RGBA, 8 bits a channel; alpha is 255 where the map has data and 0 where it has none.
struct MapPixels {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> rgba;
};

/// A georeferenced picture in a GeoTIFF file, read window by window and never as a whole.
///
/// Colour: RGB, grey or palette; 16-bit, 32-bit and floating-point values are scaled to 8 bits. What has no
/// data (internal or external mask, alpha below one half, nodata, NaN) has alpha 0. Pixel frame: the
/// north-west corner of the first pixel is (0, 0), its centre (0.5, 0.5). Ground frame: metres east and north
/// of the map's centre (LocalFrame). One object may be used by several threads; reads take turns.
class GeoMap {
 public:
  /// Throws Failure: not_found, not_a_file, unreadable; bad_format for what is no GeoTIFF (a VRT), or has no
  /// coordinate reference system or geotransform (ground control points, RPC), or metres that are labelled as
  /// degrees, or names another file as its overviews. No file but this one is opened, unless side_files.
  explicit GeoMap(const std::string& path, const GeoMapOptions& options = {});
  ~GeoMap();

  const std::string& path() const;
  int width() const { return levels().front().width; }
  int height() const { return levels().front().height; }
  /// "EPSG:32617", or the name of a system without a code.
  const std::string& crs() const;

  /// The map itself and the overviews stored with it, from fine to coarse.
  struct Level {
    int width;
    int height;
    double scale_x;  ///< Pixels of level 0 a pixel of this level, along x; 1 at level 0.
    double scale_y;
  };
  const std::vector<Level>& levels() const;

  /// A window of one level. Throws Failure no_result when it is not wholly inside, bad_format when the file
  /// is damaged there.
  MapPixels read(int level, int x, int y, int width, int height) const;

  /// Throws Failure no_result where the map's coordinate system has no such point.
  LatLon latlon_from_pixel(Point2 pixel) const;
  Point2 pixel_from_latlon(LatLon position) const;

  const LocalFrame& frame() const;
  Point2 ground_from_pixel(Point2 pixel) const { return frame().local_from_latlon(latlon_from_pixel(pixel)); }
  Point2 pixel_from_ground(Point2 ground) const {
    return pixel_from_latlon(frame().latlon_from_local(ground));
  }
  /// Metres a pixel at the map's centre: the square root of the pixel's area.
  double gsd_m() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace imatch
