// SPDX-License-Identifier: Apache-2.0
#include "localize/pose.h"

#include <cmath>
#include <random>
#include "catch.h"

#include "base/error.h"

using namespace imatch;

namespace {

constexpr int kWidth = 640, kHeight = 480;

std::vector<Point2> grid_points() {
  std::vector<Point2> points;
  for (int y = 12; y < kHeight; y += 24)
    for (int x = 12; x < kWidth; x += 24) points.push_back({1.0 * x, 1.0 * y});
  return points;
}

std::vector<Point2> on_ground(const std::vector<Point2>& photo, const Pose& pose) {
  const Homography h = ground_from_photo(pose, kWidth, kHeight);
  std::vector<Point2> ground;
  for (const Point2& p : photo) ground.push_back(h(p));
  return ground;
}

}  // namespace

TEST_CASE("the homography of a pose is that of a camera there") {
  const Pose pose{{12, -7}, 118, 90};
  const Homography a = ground_from_photo(pose, kWidth, kHeight);
  const Homography b = ground_from_image(camera_at(pose, kWidth, kHeight));
  for (const Point2 p : {Point2{0, 0}, Point2{640, 0}, Point2{100, 450}}) {
    CHECK(a(p).x == Approx(b(p).x).margin(1e-9));
    CHECK(a(p).y == Approx(b(p).y).margin(1e-9));
  }
}

TEST_CASE(
    "the pose at the centre of a homography is the one it was made from, and a tilted camera's centre") {
  const Pose pose{{12, -7}, 118, 90};
  const Pose back = pose_at_centre(ground_from_photo(pose, kWidth, kHeight), kWidth, kHeight);
  CHECK(back.position.x == Approx(12));
  CHECK(back.position.y == Approx(-7));
  CHECK(back.heading_deg == Approx(118));
  CHECK(back.width_m == Approx(90));

  CameraOptions camera = camera_at(pose, kWidth, kHeight);
  camera.tilt_deg = 15;
  const Homography tilted = ground_from_image(camera);
  const Pose seen = pose_at_centre(tilted, kWidth, kHeight);
  const Point2 centre = tilted({kWidth / 2.0, kHeight / 2.0});
  CHECK(seen.position.x == Approx(centre.x));
  CHECK(seen.position.y == Approx(centre.y));
  const Point2 above = tilted({kWidth / 2.0, kHeight / 2.0 - 0.5}),
               below = tilted({kWidth / 2.0, kHeight / 2.0 + 0.5});
  const double heading = std::atan2(above.x - below.x, above.y - below.y) * 180 / 3.14159265358979;
  CHECK(std::remainder(seen.heading_deg - heading, 360) == Approx(0).margin(0.01));
}

TEST_CASE("exact points give the exact pose, with points all over or in a corner") {
  for (const double heading_deg : {0.0, 37.0, 180.0, 275.0}) {
    const Pose truth{{-31, 44}, heading_deg, 76};
    std::vector<Point2> photo = grid_points();
    if (heading_deg > 100) photo.resize(photo.size() / 3);
    const PoseFit fit = fit_pose(photo, on_ground(photo, truth), kWidth, kHeight);
    CHECK(fit.pose.position.x == Approx(truth.position.x));
    CHECK(fit.pose.position.y == Approx(truth.position.y));
    CHECK(std::remainder(fit.pose.heading_deg - heading_deg, 360) == Approx(0).margin(1e-9));
    CHECK(fit.pose.width_m == Approx(76));
    CHECK(fit.deviation.position_m() == Approx(0).margin(1e-9));
  }
}

TEST_CASE("the deviation is that of repeated fits, for errors alone and for errors that go together") {
  const Pose truth{{5, 9}, 62, 80};
  const std::vector<Point2> photo = grid_points();
  for (const bool together : {false, true}) {
    std::mt19937 random(7);
    std::normal_distribution<double> normal;
    double east2 = 0, north2 = 0, heading2 = 0, width2 = 0, said_east2 = 0, said_heading2 = 0,
           said_width2 = 0;
    constexpr int kTrials = 400;
    for (int trial = 0; trial < kTrials; ++trial) {
      std::vector<Point2> ground = on_ground(photo, truth);
      double shared[8][8][2];
      for (auto& row : shared)
        for (auto& cell : row) cell[0] = normal(random), cell[1] = normal(random);
      for (std::size_t i = 0; i < ground.size(); ++i) {
        const auto& cell = shared[static_cast<int>(photo[i].y / (kWidth / 7.0))]
                                 [static_cast<int>(photo[i].x / (kWidth / 7.0))];
        ground[i].x += together ? cell[0] : normal(random);
        ground[i].y += together ? cell[1] : normal(random);
      }
      const PoseFit fit = fit_pose(photo, ground, kWidth, kHeight);
      east2 += std::pow(fit.pose.position.x - 5, 2), north2 += std::pow(fit.pose.position.y - 9, 2);
      heading2 += std::pow(fit.pose.heading_deg - 62, 2), width2 += std::pow(fit.pose.width_m - 80, 2);
      said_east2 += std::pow(fit.deviation.east_m, 2),
          said_heading2 += std::pow(fit.deviation.heading_deg, 2);
      said_width2 += std::pow(fit.deviation.width_m, 2);
    }
    CHECK(std::sqrt(said_east2 / east2) == Approx(1).margin(0.2));
    CHECK(std::sqrt(said_heading2 / heading2) == Approx(1).margin(0.25));
    CHECK(std::sqrt(said_width2 / width2) == Approx(1).margin(0.25));
    CHECK(north2 == Approx(east2).epsilon(0.5));
  }
}

TEST_CASE("an added error adds in squares") {
  PoseFit fit{{{0, 0}, 0, 100},
              {.east_m = 3, .north_m = 0, .east_north = 0, .heading_deg = 0, .width_m = 0, .residual_m = 1}};
  fit.add_error(4, 0.01);
  CHECK(fit.deviation.east_m == Approx(5));
  CHECK(fit.deviation.north_m == Approx(4));
  CHECK(fit.deviation.width_m == Approx(1));
  CHECK(fit.deviation.heading_deg == Approx(0.572957795));
}

TEST_CASE("too few points, and points in one place, are errors") {
  const std::vector<Point2> two{{0, 0}, {1, 1}}, same(5, Point2{3, 4});
  CHECK_THROWS_AS(fit_pose(two, two, kWidth, kHeight), Error);
  CHECK_THROWS_AS(fit_pose(same, same, kWidth, kHeight), Error);
}
