// SPDX-License-Identifier: Apache-2.0
#include "localize/locate.h"

#include <cmath>
#include "catch.h"

#include "base/error.h"
#include "render/world.h"

using namespace imatch;

namespace {

ReferenceMapOptions small_options() {
  ReferenceMapOptions options;
  options.width_m = 70;
  options.scales = {1};
  options.heading_step_deg = 45;
  options.image_width = 320;
  options.image_height = 240;
  return options;
}

const Json kBackbone = {{"image_size", 160}, {"step", 8}};

std::shared_ptr<const World> small_world() {
  WorldOptions options;
  options.seed = 5;
  options.size_m = 220;
  return std::make_shared<World>(options);
}

const ReferenceMap& small_map() {
  static const ReferenceMap map(small_world(), "dense_sift", kBackbone, small_options());
  return map;
}

Features photo_at(const Pose& pose) {
  const View view = small_map().ground().view(camera_at(pose, 320, 240));
  const Image* const images[] = {&view.image};
  return small_map().backbone().extract(images).front();
}

}  // namespace

TEST_CASE("a photo is found with its place, heading and width, off the lattice in each") {
  const Pose truths[] = {{{-31, 18}, 12, 70}, {{22.5, -40}, 200, 75}, {{8, 33}, 307, 66}};
  for (const Pose& truth : truths) {
    const Location location = locate(small_map(), photo_at(truth));
    REQUIRE(location.found);
    const Pose& pose = location.fit->pose;
    CHECK(std::hypot(pose.position.x - truth.position.x, pose.position.y - truth.position.y) < 0.5);
    CHECK(std::abs(std::remainder(pose.heading_deg - truth.heading_deg, 360)) < 0.7);
    CHECK(pose.width_m == Approx(truth.width_m).epsilon(0.01));
    CHECK(location.num_inliers > 2 * location.num_inliers_elsewhere);
    const Point2 back = small_map().ground().frame().local_from_latlon(*location.position);
    CHECK(std::hypot(back.x - pose.position.x, back.y - pose.position.y) < 1e-6);
  }
}

TEST_CASE("every kind of vector retrieves the place") {
  const Pose truth{{20, -25}, 95, 71};
  for (const auto& [global, dims] :
       {std::pair{"vlad", 0}, {"vlad", 64}, {"gem", 0}, {"mean", 32}, {"backbone", 0}}) {
    ReferenceMapOptions options = small_options();
    options.global = global;
    options.whiten_dims = dims;
    options.vlad_words = 8;
    const ReferenceMap map(small_world(), "dense_sift", kBackbone, options);
    CHECK(map.vocabulary().digest.empty() == (std::string(global) != "vlad"));
    const Location location = locate(map, photo_at(truth));
    INFO(global << " " << dims);
    REQUIRE(location.found);
    CHECK(std::hypot(location.fit->pose.position.x - truth.position.x,
                     location.fit->pose.position.y - truth.position.y) < 0.5);
  }
}

TEST_CASE("a photo of another place is not found") {
  WorldOptions elsewhere;
  elsewhere.seed = 99;
  elsewhere.size_m = 220;
  const World world(elsewhere);
  const View view = world.view(camera_at({{10, 10}, 40, 70}, 320, 240));
  const Image* const images[] = {&view.image};
  CHECK_FALSE(locate(small_map(), small_map().backbone().extract(images).front()).found);
}

TEST_CASE("looking again is nearer than the tile alone") {
  const Pose truth{{15, -12}, 68, 77};
  const Features photo = photo_at(truth);
  const auto error_m = [&](int refinements) {
    LocateOptions options;
    options.refinements = refinements;
    const Location location = locate(small_map(), photo, options);
    return location.fit ? std::hypot(location.fit->pose.position.x - truth.position.x,
                                     location.fit->pose.position.y - truth.position.y)
                        : 1e9;
  };
  CHECK(error_m(2) < error_m(0));
}

TEST_CASE("tiles that lead to one pose are refined once") {
  // A second refinement of the same place would end some centimetres away, and win by an inlier or two.
  for (const Pose& truth : {Pose{{15, -12}, 68, 77}, Pose{{-31, 18}, 12, 70}, Pose{{8, 33}, 307, 66}}) {
    const Features photo = photo_at(truth);
    const auto found_from = [&](int tiles) {
      LocateOptions options;
      options.refine_k = tiles;
      return locate(small_map(), photo, options);
    };
    const Location from_one = found_from(1), from_three = found_from(3);
    REQUIRE(from_one.found);
    REQUIRE(from_three.found);
    CHECK(from_three.fit->pose.position.x == from_one.fit->pose.position.x);
    CHECK(from_three.fit->pose.heading_deg == from_one.fit->pose.heading_deg);
  }
}

TEST_CASE("a homography finds the centre of a tilted photo nearer than a similarity") {
  double errors[2] = {};
  for (const Pose& truth : {Pose{{15, -12}, 68, 72}, Pose{{-20, 25}, 160, 70}, Pose{{0, -30}, 300, 68}}) {
    CameraOptions camera = camera_at(truth, 320, 240);
    camera.tilt_deg = 14;
    const Point2 centre = ground_from_image(camera)({160, 120});
    const View view = small_map().ground().view(camera);
    const Image* const images[] = {&view.image};
    const Features photo = small_map().backbone().extract(images).front();
    for (int k = 0; k < 2; ++k) {
      LocateOptions options;
      options.model = k == 0 ? "similarity" : "homography";
      const Location location = locate(small_map(), photo, options);
      REQUIRE(location.found);
      const Point2 at = location.fit->pose.position;
      errors[k] += std::hypot(at.x - centre.x, at.y - centre.y) / 3;
    }
  }
  CAPTURE(errors[0], errors[1]);
  CHECK(errors[1] < 0.5);
  CHECK(errors[1] < errors[0] / 2);
}

TEST_CASE("retrieval is ordered, and apart keeps neighbours out") {
  const at::Tensor vector = small_map().vector_of(photo_at({{0, 0}, 0, 70}));
  const auto all = small_map().retrieve(vector, 50);
  REQUIRE(all.size() == 50);
  for (std::size_t i = 1; i < all.size(); ++i) CHECK(all[i - 1].score >= all[i].score);
  const auto spread = small_map().retrieve(vector, 10, 0.5);
  CHECK(spread[0].tile == all[0].tile);
  for (std::size_t i = 0; i < spread.size(); ++i)
    for (std::size_t k = 0; k < i; ++k) {
      const Tile &a = small_map().tiles()[spread[i].tile], &b = small_map().tiles()[spread[k].tile];
      const bool other_heading = std::abs(std::remainder(a.heading_deg - b.heading_deg, 360)) > 46;
      CHECK((other_heading || std::hypot(a.centre.x - b.centre.x, a.centre.y - b.centre.y) >= 35 - 1e-9));
    }
}

TEST_CASE("a tile's window is what looking at it alone gives, away from the border") {
  const Tile& tile = small_map().tiles()[small_map().tiles().size() / 2];
  const Features window = small_map().window(tile, 0);
  CHECK(window.rows == small_map().photo_grid().rows);
  const Features alone = small_map().features_seen_by(
      camera_at({tile.centre, tile.heading_deg, tile.width_m}, window.cols * 8, window.rows * 8));
  REQUIRE(alone.tokens.sizes() == window.tokens.sizes());
  const std::int64_t middle = std::int64_t{window.rows / 2} * window.cols + window.cols / 2;
  CHECK(alone.tokens[middle].allclose(window.tokens[middle], 1e-2, 1e-2));
}

TEST_CASE("features of another backbone are an error; ground without a tile is a failure") {
  Features other = photo_at({{0, 0}, 0, 70});
  other.tokens = other.tokens.slice(1, 0, 64).contiguous();
  CHECK_THROWS_AS(locate(small_map(), other), Error);
  ReferenceMapOptions too_wide = small_options();
  too_wide.width_m = 5000;
  CHECK_THROWS_AS(ReferenceMap(small_world(), "dense_sift", kBackbone, too_wide), Failure);
}
