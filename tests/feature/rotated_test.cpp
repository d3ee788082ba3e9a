// SPDX-License-Identifier: Apache-2.0
#include "feature/rotated.h"

#include <ATen/ops/ones.h>
#include <ATen/ops/rand.h>

#include <cmath>
#include "catch.h"

#include "image/transform.h"

using namespace imatch;

namespace {

/// Features over a rotated picture of the size that rotate() gives: cells of 10 px.
Features of_rotated(const Rotated& rotated) {
  Features f;
  f.cols = rotated.image.width / 10;
  f.rows = rotated.image.height / 10;
  f.global = at::ones({2});
  f.tokens = at::rand({f.rows * f.cols, 2});
  f.original_from_grid = {{10, 0, 0, 0, 10, 0}};
  f.image_width = rotated.image.width, f.image_height = rotated.image.height;
  f.key = std::string(64, 'a');
  return f;
}

}  // namespace

TEST_CASE("right angles put every token at its place in the image as it was", "[rotated]") {
  const Image image(60, 40);
  for (const double angle : {90.0, 180.0, 270.0, -90.0, 450.0}) {
    const Rotated rotated = rotate(image, angle);
    const Features f = rotated_back(of_rotated(rotated), rotated.rotated_from_original, angle, 60, 40);
    CHECK(f.selectable.all().item<bool>());
    CHECK(f.rotation_deg == angle);
    CHECK(f.image_width == 60);
    for (std::int64_t token = 0; token < f.tokens.size(0); ++token) {
      const Point2 p = f.point(token), back = rotated.rotated_from_original(p);
      CHECK(std::fmod(p.x, 10) == Approx(5).margin(1e-9));
      CHECK(std::fmod(p.y, 10) == Approx(5).margin(1e-9));
      CHECK(back.x == Approx(10 * (token % f.cols) + 5).margin(1e-9));
      CHECK(back.y == Approx(10 * (token / f.cols) + 5).margin(1e-9));
    }
  }
}

TEST_CASE("tokens that see what a turn left empty are not selectable", "[rotated]") {
  Image white(200, 120);
  std::fill(white.rgb.begin(), white.rgb.end(), 255);
  for (const double angle : {10.0, 45.0, 133.0}) {
    const Rotated rotated = rotate(white, angle);
    const Features f = rotated_back(of_rotated(rotated), rotated.rotated_from_original, angle, 200, 120);
    int num_selectable = 0;
    for (int r = 0; r < f.rows; ++r)
      for (int c = 0; c < f.cols; ++c) {
        bool is_white = true;
        for (int y = 10 * r; y < 10 * r + 10; ++y)
          for (int x = 10 * c; x < 10 * c + 10; ++x) is_white &= rotated.image.pixel(x, y)[0] > 250;
        const bool selectable = f.selectable.const_data_ptr<bool>()[r * f.cols + c];
        num_selectable += selectable;
        if (selectable) CHECK(is_white);
      }
    CHECK(num_selectable > 100);
    CHECK(num_selectable < f.rows * f.cols);
  }
}

TEST_CASE("features rotated by different angles have keys of their own", "[rotated]") {
  const Rotated rotated = rotate(Image(60, 40), 90);
  const Features f = of_rotated(rotated);
  const auto key = [&](double angle) {
    return rotated_back(f, rotated.rotated_from_original, angle, 60, 40).key;
  };
  CHECK(key(90) != key(450));
  CHECK(key(90) == key(90));
}
