// SPDX-License-Identifier: Apache-2.0
#include "geometry/pinhole_camera.h"

#include <cmath>
#include "catch.h"

#include "base/error.h"
#include "geometry/ground_camera.h"

using namespace imatch;

namespace {

CameraOptions leaning_camera() {
  CameraOptions camera;
  camera.x_m = 12, camera.y_m = -7, camera.altitude_m = 80;
  camera.heading_deg = 33, camera.tilt_deg = 14, camera.roll_deg = -9;
  return camera;
}

}  // namespace

TEST_CASE("The camera over flat ground is a pinhole camera in space") {
  const CameraOptions options = leaning_camera();
  const PinholeCamera camera = pinhole_camera(options);
  const Homography ground = ground_from_image(options);
  for (const Point2 pixel : {Point2{0, 0}, Point2{448, 0}, Point2{100.5, 200.25}, Point2{448, 336}}) {
    const Point2 at = ground(pixel);
    const auto seen = camera.project({at.x, at.y, 0});
    REQUIRE(seen);
    CHECK(seen->x == Approx(pixel.x).margin(1e-9));
    CHECK(seen->y == Approx(pixel.y).margin(1e-9));
    // Along the ray down to the ground, the same point.
    const Vector3 ray = camera.ray(pixel), from = camera.centre();
    const Vector3 hit = from + (-from.z / ray.z) * ray;
    CHECK(hit.x == Approx(at.x).margin(1e-9));
    CHECK(hit.y == Approx(at.y).margin(1e-9));
  }
  CHECK(camera.centre().x == Approx(12));
  CHECK(camera.centre().y == Approx(-7));
  CHECK(camera.centre().z == Approx(80));
  // What stands higher is seen nearer; what is above the camera is not seen.
  CHECK(camera.depth_of({12, -7, 10}) < camera.depth_of({12, -7, 0}));
  CHECK_FALSE(camera.project({12, -7, 200}));
}

TEST_CASE("Unprojecting undoes projecting") {
  const PinholeCamera camera = pinhole_camera(leaning_camera());
  for (const Vector3 world : {Vector3{20, 5, 3}, Vector3{-30, 40, -2}, Vector3{12, -7, 79}}) {
    const auto pixel = camera.project(world);
    REQUIRE(pixel);
    const Vector3 back = camera.unproject(*pixel, camera.depth_of(world));
    CHECK(back.x == Approx(world.x).margin(1e-9));
    CHECK(back.y == Approx(world.y).margin(1e-9));
    CHECK(back.z == Approx(world.z).margin(1e-9));
  }
}

TEST_CASE("A camera is made of plain data, and a matrix that is no rotation is refused") {
  const PinholeOptions options = pinhole_options(pinhole_camera(leaning_camera()));
  const PinholeCamera again = pinhole_camera(options);
  CHECK(again.rotation == pinhole_camera(leaning_camera()).rotation);
  PinholeOptions wrong = options;
  wrong.rotation[0] += 0.01;
  CHECK_THROWS_WITH(pinhole_camera(wrong), Catch::Contains("expected a rotation matrix"));
  wrong = options;
  for (double& value : wrong.rotation) value = -value;  // mirrored
  CHECK_THROWS_AS(pinhole_camera(wrong), Error);
  wrong.rotation = {1, 2};
  CHECK_THROWS_WITH(pinhole_camera(wrong), "camera: rotation: 2 numbers; expected 9 finite ones");
  wrong = options;
  wrong.translation[1] = std::nan("");
  CHECK_THROWS_AS(pinhole_camera(wrong), Error);
}
