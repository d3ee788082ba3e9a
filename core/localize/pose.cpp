// SPDX-License-Identifier: Apache-2.0
#include "localize/pose.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>
#include <utility>

#include "base/error.h"
#include "geo/footprint.h"
#include "localize/tile_grid.h"

namespace imatch {
namespace {

constexpr double kDegree = std::numbers::pi / 180;

constexpr double kClustersAcross = 7;

/// What one cluster's residuals do to the parameters.
struct Pull {
  double x = 0, y = 0, a = 0, b = 0;
  Pull& operator+=(const Pull& other) {
    x += other.x, y += other.y, a += other.a, b += other.b;
    return *this;
  }
};

double positive_degrees(double degrees) {
  const double rest = std::fmod(degrees, 360);
  return rest < 0 ? rest + 360 : rest;
}

}  // namespace

// With q the pixel from the photo's centre, x right and y down: ground = c + (a qx - b qy, -b qx - a qy),
// where a = s cos(heading), b = s sin(heading) and s metres a pixel. Linear in (cx, cy, a, b).
PoseFit fit_pose(std::span<const Point2> photo, std::span<const Point2> ground, int width, int height) {
  if (photo.size() != ground.size() || photo.size() < 3)
    throw Error(
        fmt::format("fit_pose: {} points of the photo and {} of the ground; expected as many, at least 3",
                    photo.size(), ground.size()));
  const double n = static_cast<double>(photo.size());
  Point2 q_mean, g_mean;
  for (std::size_t i = 0; i < photo.size(); ++i) {
    q_mean.x += (photo[i].x - width / 2.0) / n, q_mean.y += (photo[i].y - height / 2.0) / n;
    g_mean.x += ground[i].x / n, g_mean.y += ground[i].y / n;
  }
  const auto centred = [&](std::size_t i) {
    return Point2{photo[i].x - width / 2.0 - q_mean.x, photo[i].y - height / 2.0 - q_mean.y};
  };
  double spread = 0, for_a = 0, for_b = 0;
  for (std::size_t i = 0; i < photo.size(); ++i) {
    const Point2 q = centred(i), g{ground[i].x - g_mean.x, ground[i].y - g_mean.y};
    spread += q.x * q.x + q.y * q.y;
    for_a += q.x * g.x - q.y * g.y;
    for_b += -q.y * g.x - q.x * g.y;
  }
  if (!(spread > 0)) throw Error("fit_pose: all points of the photo coincide");
  const double a = for_a / spread, b = for_b / spread;
  const double metres_a_pixel = std::hypot(a, b);
  if (!(metres_a_pixel > 0)) throw Error("fit_pose: all points of the ground coincide");

  // By how much each cluster pulls at (centre of the photo, a, b). About the mean of q the normal matrix is
  // diagonal, n for the mean's position and `spread` for a and b; the centre then lies q_mean away.
  const double side = std::max(width, height) / kClustersAcross;
  std::map<std::pair<int, int>, Pull> clusters;
  double squares = 0;
  for (std::size_t i = 0; i < photo.size(); ++i) {
    const Point2 q = centred(i);
    const Point2 r{ground[i].x - g_mean.x - (a * q.x - b * q.y),
                   ground[i].y - g_mean.y - (-b * q.x - a * q.y)};
    squares += r.x * r.x + r.y * r.y;
    const double pull_a = (q.x * r.x - q.y * r.y) / spread, pull_b = (-q.y * r.x - q.x * r.y) / spread;
    clusters[{static_cast<int>(photo[i].x / side), static_cast<int>(photo[i].y / side)}] +=
        {r.x / n - (pull_a * q_mean.x - pull_b * q_mean.y),
         r.y / n - (-pull_b * q_mean.x - pull_a * q_mean.y), pull_a, pull_b};
  }
  double east2 = 0, north2 = 0, east_north = 0, along2 = 0, turn2 = 0;
  for (const auto& [place, pull] : clusters) {
    east2 += pull.x * pull.x, north2 += pull.y * pull.y, east_north += pull.x * pull.y;
    // Of (a, b), the part along it changes the scale, the part across it the heading.
    const double along = (pull.a * a + pull.b * b) / metres_a_pixel;
    const double across = (pull.b * a - pull.a * b) / metres_a_pixel;
    along2 += along * along, turn2 += across * across;
  }
  const double groups = static_cast<double>(clusters.size());
  const double few = groups > 1 ? groups / (groups - 1) : 1;

  PoseFit fit;
  fit.pose.position = {g_mean.x - (a * q_mean.x - b * q_mean.y), g_mean.y - (-b * q_mean.x - a * q_mean.y)};
  fit.pose.heading_deg = positive_degrees(std::atan2(b, a) / kDegree);
  fit.pose.width_m = metres_a_pixel * width;
  fit.deviation.residual_m = std::sqrt(squares / (2 * n - 4));
  fit.deviation.east_m = std::sqrt(few * east2);
  fit.deviation.north_m = std::sqrt(few * north2);
  fit.deviation.east_north = east2 > 0 && north2 > 0 ? east_north / std::sqrt(east2 * north2) : 0;
  fit.deviation.heading_deg = std::sqrt(few * turn2) / metres_a_pixel / kDegree;
  fit.deviation.width_m = std::sqrt(few * along2) * width;
  return fit;
}

void PoseFit::add_error(double shift_m, double turn) {
  const double covariance = deviation.east_north * deviation.east_m * deviation.north_m;
  deviation.east_m = std::hypot(deviation.east_m, shift_m);
  deviation.north_m = std::hypot(deviation.north_m, shift_m);
  const double product = deviation.east_m * deviation.north_m;
  deviation.east_north = product > 0 ? covariance / product : 0;
  deviation.heading_deg = std::hypot(deviation.heading_deg, turn / kDegree);
  deviation.width_m = std::hypot(deviation.width_m, turn * pose.width_m);
}

double PoseDeviation::position_m() const {
  return std::hypot(east_m, north_m);
}

Pose pose_at_centre(const Homography& ground_from_photo, int width, int height) {
  const auto& m = ground_from_photo.m;
  const Point2 centre{width / 2.0, height / 2.0};
  const Point2 at = ground_from_photo(centre);
  const double w = m[6] * centre.x + m[7] * centre.y + m[8];
  // The derivative there, and of the matrices ((a, -b), (-b, -a)) the nearest.
  const double xx = (m[0] - at.x * m[6]) / w, xy = (m[1] - at.x * m[7]) / w;
  const double yx = (m[3] - at.y * m[6]) / w, yy = (m[4] - at.y * m[7]) / w;
  const double a = (xx - yy) / 2, b = (-xy - yx) / 2;
  return {.position = at,
          .heading_deg = positive_degrees(std::atan2(b, a) / kDegree),
          .width_m = std::hypot(a, b) * width};
}

Homography ground_from_photo(const Pose& pose, int width, int height) {
  const double s = pose.width_m / width;
  const double a = s * std::cos(pose.heading_deg * kDegree), b = s * std::sin(pose.heading_deg * kDegree);
  const double x = width / 2.0, y = height / 2.0;
  return {{a, -b, pose.position.x - a * x + b * y, -b, -a, pose.position.y + b * x + a * y, 0, 0, 1}};
}

CameraOptions camera_at(const Pose& pose, int width_px, int height_px, double margin) {
  CameraOptions camera;
  camera.x_m = pose.position.x;
  camera.y_m = pose.position.y;
  camera.heading_deg = pose.heading_deg;
  camera.fov_deg = kTileFieldOfViewDeg;
  camera.width = width_px;
  camera.height = height_px;
  camera.altitude_m = altitude_for_width_m(pose.width_m * margin, kTileFieldOfViewDeg);
  return camera;
}

}  // namespace imatch
