// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "geometry/matrix4.h"
#include "geometry/pinhole_camera.h"

namespace imatch {

/// A camera of a list of ways to say where it is; its picture is width x height px, the axis in its middle.
struct CameraLens {
  int width = 160, height = 160;
  double focal_mm = 50;
};

/// Focal length of a lens over a sensor of 36 mm, the larger side of the picture, px.
double focal_px(const CameraLens& lens);

inline constexpr std::string_view kUpAxes[] = {"y", "z"};

struct LookAtOptions {
  int width = 160, height = 160;
  double focal_mm = 50;
  std::vector<double> eye{0, 0, 5}, target{0, 0, 0}, up{0, 1, 0};
  static constexpr auto fields =
      std::tuple{field("width", &LookAtOptions::width, in_range(1, 65536), "Of the picture, px."),
                 field("height", &LookAtOptions::height, in_range(1, 65536), "Of the picture, px."),
                 field("focal_mm", &LookAtOptions::focal_mm, in_range(1e-3, 1e6),
                       "Of the lens, over a sensor of 36 mm."),
                 field("eye", &LookAtOptions::eye, anything(), "Where the camera stands, x y z."),
                 field("target", &LookAtOptions::target, anything(), "What it looks at."),
                 field("up", &LookAtOptions::up, anything(), "What is up in the picture.")};
};

/// Throws Error for lists of other than 3 numbers, and where eye, target and up lie on a line.
PinholeCamera look_at(const LookAtOptions& options);

struct CameraRingOptions {
  int width = 160, height = 160;
  double focal_mm = 50;
  int count = 8;
  double distance = 3;
  double distance_spread = 0;
  double elevation_from_deg = 0, elevation_to_deg = 30;
  std::vector<double> target{0, 0, 0};
  std::string up = "y";
  std::int64_t seed = 0;
  using Self = CameraRingOptions;
  static constexpr auto fields = std::tuple{
      field("width", &Self::width, in_range(1, 65536), "Of the picture, px."),
      field("height", &Self::height, in_range(1, 65536), "Of the picture, px."),
      field("focal_mm", &Self::focal_mm, in_range(1e-3, 1e6), "Of the lens, over a sensor of 36 mm."),
      field("count", &Self::count, in_range(1, 1e7),
            "Cameras, spread evenly around; the first azimuth is drawn."),
      field("distance", &Self::distance, in_range(1e-9, 1e9), "From the target."),
      field("distance_spread", &Self::distance_spread, in_range(0, 0.99),
            "Share of it by which distances vary."),
      field("elevation_from_deg", &Self::elevation_from_deg, in_range(-89, 89),
            "Lowest elevation above the horizon."),
      field("elevation_to_deg", &Self::elevation_to_deg, in_range(-89, 89), "Highest one."),
      field("target", &Self::target, anything(), "What they look at, x y z."),
      field("up", &Self::up, one_of(kUpAxes), "Axis of the world that points up."),
      field("seed", &Self::seed, at_least(0),
            "Of what is drawn: azimuth of the first, elevations and distances.")};
};

std::vector<PinholeCamera> camera_ring(const CameraRingOptions& options);

/// The camera of a camera-to-world matrix with OpenGL's camera axes (x right, y up, z backwards), in a world
/// whose y is up (as glTF's) or whose z is (as Blender's: it is turned to y-up, x y z -> x z -y). The
/// rotation is made orthonormal, as printed digits leave it only nearly so. Throws Error for a matrix that is
/// no rotation and shift up to 1 %.
PinholeCamera camera_of_opengl(const Matrix4& world_from_camera, std::string_view world_up,
                               const CameraLens& lens);

}  // namespace imatch
