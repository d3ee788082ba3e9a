// SPDX-License-Identifier: Apache-2.0
#include "backbone/rotations.h"

#include <ATen/ops/equal.h>

#include "catch.h"

#include "backbone/working_frame.h"
#include "base/error.h"
#include "image/transform.h"
#include "pictures.h"

using namespace imatch;

namespace {

std::shared_ptr<const Features> rotated(const Image& image, double angle, FeatureCache& cache) {
  const Image* list[] = {&image};
  return features_of_rotation(*open_backbone("dense_sift image_size=64"), list, angle, cache)[0];
}

}  // namespace

TEST_CASE("what was rotated once is rotated back by the rest of a turn", "[rotations]") {
  FeatureCache cache({.folder = "", .max_mb = 0});
  const Image image = testing::picture(96, 64);
  const auto straight = rotated(image, 0, cache);
  CHECK(!straight->selectable.defined());
  for (const double angle : {90.0, 180.0, 270.0}) {
    const Image other = rotate(image, 360 - angle).image;
    const auto back = rotated(other, angle, cache);
    CHECK(at::equal(back->tokens, straight->tokens));
    CHECK(back->backbone == straight->backbone);
    // A token of the rotated image lies where its pixels lie in the image as it is.
    const Affine2 other_from_image = rotate(image, 360 - angle).rotated_from_original;
    for (const int token : {0, 7, 31}) {
      const Point2 expected = other_from_image(straight->point(token)), found = back->point(token);
      CHECK(found.x == Approx(expected.x));
      CHECK(found.y == Approx(expected.y));
    }
  }
}

TEST_CASE("a rotated image keeps its scale", "[rotations]") {
  FeatureCache cache({.folder = "", .max_mb = 0});
  const Image image = testing::picture(160, 96);
  const auto cell = [](const Features& f) {
    return std::hypot(f.original_from_grid.m[0], f.original_from_grid.m[3]);
  };
  const double own = cell(*rotated(image, 0, cache));
  for (const double angle : {30.0, 45.0, 100.0}) {
    const auto f = rotated(image, angle, cache);
    CHECK(cell(*f) == Approx(own).epsilon(0.07));  // up to the rounding of sides to whole steps
    CHECK(f->rotation_deg == angle);
    CHECK(f->image_width == 160);
  }
  CHECK_THROWS_AS(rotated(image, std::nan(""), cache), Error);
}

TEST_CASE("shorter_cut resizes the shorter side and cuts what is over", "[rotations]") {
  const WorkingFrame frame{.mode = "shorter_cut", .image_size_px = 336, .stride_px = 14};
  const auto check = [&](int width, int height, int seen_width, int seen_height, double scale_x,
                         double scale_y) {
    const Image image(width, height);
    CHECK(frame.size_of(image).width == seen_width);
    CHECK(frame.size_of(image).height == seen_height);
    CHECK(frame.resized(image).width == seen_width);
    CHECK(frame.original_from_grid(image).m[0] == Approx(scale_x));
    CHECK(frame.original_from_grid(image).m[4] == Approx(scale_y));
  };
  check(1600, 900, 588, 336, 14 * 1600 / 597.0, 14 * 900 / 336.0);
  check(900, 1600, 336, 588, 14 * 900 / 336.0, 14 * 1600 / 597.0);
  check(500, 500, 336, 336, 14 * 500 / 336.0, 14 * 500 / 336.0);
  const WorkingFrame tiny{.mode = "shorter_cut", .image_size_px = 8, .stride_px = 16};
  CHECK(tiny.size_of(Image(10, 10)).width == 16);
}
