// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "geometry/planar.h"
#include "render/disturb.h"
#include "render/ground.h"

namespace imatch {

/// A camera, what is done to its picture, and where it stands when that is told as latitude and longitude.
struct ViewOptions : CameraOptions, DisturbOptions {
  std::optional<double> latitude;
  std::optional<double> longitude;
  static constexpr auto fields = std::tuple_cat(
      CameraOptions::fields,
      std::tuple{field("latitude", &ViewOptions::latitude, in_range(-90, 90),
                       "Position of the camera in degrees, in place of x_m and y_m; with longitude."),
                 field("longitude", &ViewOptions::longitude, in_range(-360, 360),
                       "Position of the camera in degrees.")},
      DisturbOptions::fields);
};

/// Throws Error when only one of latitude and longitude is given; what Ground::view and disturb throw.
View take_view(const Ground& ground, const ViewOptions& options);

/// A query and a reference of one place, for experiments that vary altitude and rotation.
struct PairOptions : DisturbOptions {
  int place = 0;
  std::optional<double> x_m;
  std::optional<double> y_m;
  std::optional<double> latitude;
  std::optional<double> longitude;
  double altitude_m = 120;
  double rotation_deg = 0;
  double tilt_deg = 0;
  double roll_deg = 0;
  double shift = 0.1;
  std::optional<double> reference_altitude_m;
  double reference_heading_deg = 0;
  double fov_deg = 60;
  int width = 448;
  int height = 336;
  static constexpr auto fields = std::tuple_cat(
      std::tuple{
          field("place", &PairOptions::place, in_range(0, 1e6),
                "Which of the ground's places: they are spread evenly over what the ground shows."),
          field("x_m", &PairOptions::x_m, anything(), "A place of your own instead: metres east; with y_m."),
          field("y_m", &PairOptions::y_m, anything(), "Metres north."),
          field("latitude", &PairOptions::latitude, in_range(-90, 90),
                "The same in degrees; with longitude."),
          field("longitude", &PairOptions::longitude, in_range(-360, 360), "Degrees."),
          field("altitude_m", &PairOptions::altitude_m, in_range(0.1, 1e5), "Of the query, m."),
          field("rotation_deg", &PairOptions::rotation_deg, anything(),
                "Heading of the query less that of the reference, degrees."),
          field("tilt_deg", &PairOptions::tilt_deg, in_range(-90, 90),
                "Of the query (see render.Ground:view)."),
          field("roll_deg", &PairOptions::roll_deg, in_range(-90, 90), "Of the query."),
          field("shift", &PairOptions::shift, in_range(0, 1),
                "How far the query stands off the place, as a share of the height of its footprint, in a "
                "direction of the place's own."),
          field("reference_altitude_m", &PairOptions::reference_altitude_m, in_range(0.1, 1e5),
                "None: that of the query."),
          field("reference_heading_deg", &PairOptions::reference_heading_deg, anything(),
                "Degrees clockwise from north."),
          field("fov_deg", &PairOptions::fov_deg, in_range(0.1, 170),
                "Horizontal field of view of both, degrees."),
          field("width", &PairOptions::width, in_range(1, 16384), "Of both images, px."),
          field("height", &PairOptions::height, in_range(1, 16384), "Of both images, px.")},
      DisturbOptions::fields);
};

struct ViewPair {
  View query;      ///< Disturbed, rotated, tilted.
  View reference;  ///< Straight down and clean, as cut from a map.
  Homography query_from_reference;
  Homography reference_from_query;
};

/// Throws Error for half a position; Failure no_result when the ground shows nothing at any such place.
ViewPair take_pair(const Ground& ground, const PairOptions& options);

/// The numbered places of a ground: an even sequence (R2, Roberts 2018) of points around which a square is
/// covered to nine tenths, its side 250 m or 0.35 of the shorter extent, whichever is less. They depend on
/// the ground alone, so that a sweep over altitudes stays at its places. Throws Failure no_result when there
/// is none.
Point2 place_on(const Ground& ground, int place);

}  // namespace imatch
