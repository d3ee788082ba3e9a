// SPDX-License-Identifier: Apache-2.0
#include "image/transform.h"

#include <limits>
#include "catch.h"

#include "base/error.h"
#include "pictures.h"

using namespace imatch;
using namespace imatch::testing;

namespace {

bool valid_at(const Warped& warped, int x, int y) {
  return warped.valid[static_cast<std::size_t>(y) * warped.image.width + x] != 0;
}

}  // namespace

TEST_CASE("a shift by whole pixels moves pixels and marks what is missing") {
  const int height = GENERATE(30, 2600);
  const Image image = noise(40, height);
  const Warped moved = warp_perspective(image, {{1, 0, 7, 0, 1, -4, 0, 0, 1}}, 40, height);
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < 40; ++x) {
      const bool inside = x >= 7 && y < height - 4;
      REQUIRE(valid_at(moved, x, y) == inside);
      for (int c = 0; c < 3; ++c)
        REQUIRE(moved.image.pixel(x, y)[c] == (inside ? image.pixel(x - 7, y + 4)[c] : 0));
    }
}

TEST_CASE("enlarging by two keeps the corners of the frame, so pixel (0, 0) shows source (0.25, 0.25)") {
  Image ramp(20, 4);
  for (int y = 0; y < 4; ++y)
    for (int x = 0; x < 20; ++x) std::fill_n(ramp.pixel(x, y), 3, static_cast<std::uint8_t>(10 * x));
  const Warped twice = warp_perspective(ramp, {{2, 0, 0, 0, 2, 0, 0, 0, 1}}, 40, 8);
  for (int x = 1; x < 39; ++x) {
    const double expected = 10 * ((x + 0.5) / 2 - 0.5);  // the ramp's value at source centre 0.5 is 0
    CHECK(std::abs(twice.image.pixel(x, 4)[0] - expected) <= 1);
    CHECK(valid_at(twice, x, 4));
  }
  CHECK(valid_at(twice, 0, 0));
  CHECK(valid_at(twice, 39, 7));
}

TEST_CASE("a homography there and back gives the picture again where it is valid") {
  const Image image = waves(120, 90);
  const Homography h{{0.9, 0.15, 12, -0.1, 1.05, 9, 3e-4, -2e-4, 1}};
  const Warped there = warp_perspective(image, h, 160, 130);
  const Warped back = warp_perspective(there.image, h.inverse(), 120, 90);
  int worst = 0;
  for (int y = 2; y < 88; ++y)
    for (int x = 2; x < 118; ++x) {
      const Point2 p = h({x + 0.5, y + 0.5});
      if (p.x < 2 || p.y < 2 || p.x > 158 || p.y > 128) continue;
      for (int c = 0; c < 3; ++c)
        worst = std::max(worst, std::abs(back.image.pixel(x, y)[c] - image.pixel(x, y)[c]));
    }
  CHECK(worst <= 6);  // two bilinear interpolations of waves with period 57 px
}

TEST_CASE("what lies behind the horizon is not valid, whatever the sign of the matrix") {
  const Image image = waves(100, 100);
  Homography h{{1, 0, 0, 0, 1, 0, 0, 0.008, 1}};
  Homography negative = h;
  for (double& value : negative.m) value = -value;
  const Warped a = warp_perspective(image, h, 300, 300), b = warp_perspective(image, negative, 300, 300);
  CHECK(a.valid == b.valid);
  CHECK(valid_at(a, 20, 20));
  CHECK_FALSE(valid_at(a, 20, 200));
}

TEST_CASE("warp refuses what it cannot do") {
  using Catch::Matchers::Contains;
  CHECK_THROWS_WITH(warp_perspective(Image(2, 2), {{1, 0, 0, 1, 0, 0, 0, 0, 1}}, 2, 2), Contains("singular"));
  CHECK_THROWS_WITH(warp_perspective(Image(2, 2), {}, 40000, 2), Contains("40000 x 2"));
  CHECK_THROWS_AS(warp_perspective(Image(), {}, 2, 2), Error);
}

TEST_CASE("quarter turns are clockwise and exact, and their map says where a pixel went") {
  const Image image = noise(13, 7);
  for (const int angle : {0, 90, 180, 270, 360, -90, 450}) {
    const Rotated rotated = rotate(image, angle);
    CHECK(rotated.image.width == (angle / 90 % 2 ? 7 : 13));
    for (int y = 0; y < 7; ++y)
      for (int x = 0; x < 13; ++x) {
        const Point2 p = rotated.rotated_from_original({x + 0.5, y + 0.5});
        CAPTURE(angle, x, y, p.x, p.y);
        const std::uint8_t* there = rotated.image.pixel(static_cast<int>(p.x), static_cast<int>(p.y));
        REQUIRE(std::equal(there, there + 3, image.pixel(x, y)));
      }
  }
  // Clockwise: what was at the top is at the right.
  const Point2 top = rotate(image, 90).rotated_from_original({6.5, 0.5});
  CHECK(top.x == Approx(6.5));
  CHECK(top.y == Approx(6.5));
}

TEST_CASE("any other turn keeps the whole picture, and a spot is found where the map says") {
  Image image(200, 120);
  for (int y = 30; y < 40; ++y)
    for (int x = 150; x < 160; ++x) std::fill_n(image.pixel(x, y), 3, 255);
  for (const double angle : {1.0, 30.0, 45.0, 123.4, -60.0, 269.9}) {
    const Rotated rotated = rotate(image, angle);
    double sum = 0, sum_x = 0, sum_y = 0;
    for (int y = 0; y < rotated.image.height; ++y)
      for (int x = 0; x < rotated.image.width; ++x) {
        const double v = rotated.image.pixel(x, y)[0];
        sum += v, sum_x += v * (x + 0.5), sum_y += v * (y + 0.5);
      }
    const Point2 expected = rotated.rotated_from_original({155, 35});
    CAPTURE(angle);
    CHECK(sum_x / sum == Approx(expected.x).margin(0.1));
    CHECK(sum_y / sum == Approx(expected.y).margin(0.1));
    CHECK(sum == Approx(255 * 100).epsilon(0.02));
    for (const Point2 corner : {Point2{0, 0}, Point2{200, 0}, Point2{0, 120}, Point2{200, 120}}) {
      const Point2 p = rotated.rotated_from_original(corner);
      CHECK(p.x >= -1e-6);
      CHECK(p.y >= -1e-6);
      CHECK(p.x <= rotated.image.width + 1e-6);
      CHECK(p.y <= rotated.image.height + 1e-6);
    }
  }
  CHECK_THROWS_AS(rotate(image, std::numeric_limits<double>::infinity()), Error);
}

TEST_CASE("crop takes the part, and nothing outside") {
  const Image image = noise(10, 8);
  const Image part = crop(image, 3, 2, 7, 6);
  CHECK(part.width == 7);
  CHECK(std::equal(part.pixel(0, 0), part.pixel(0, 0) + 21, image.pixel(3, 2)));
  CHECK(std::equal(part.pixel(6, 5), part.pixel(6, 5) + 3, image.pixel(9, 7)));
  CHECK_THROWS_WITH(crop(image, 4, 2, 7, 6), "crop: 7 x 6 px at (4, 2) is not inside a picture of 10 x 8 px");
  CHECK_THROWS_AS(crop(image, -1, 0, 2, 2), Error);
  CHECK_THROWS_AS(crop(image, 0, 0, 0, 2), Error);
  CHECK_THROWS_AS(crop(image, 1, 1, std::numeric_limits<int>::max(), 2), Error);
}
