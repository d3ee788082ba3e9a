// SPDX-License-Identifier: Apache-2.0
#include "localize/tile_grid.h"

#include <cmath>
#include "catch.h"

#include "base/error.h"

using namespace imatch;

namespace {

constexpr GroundExtent kExtent{-200, -150, 200, 150};
constexpr PhotoGrid kPhoto{.rows = 21, .cols = 28, .token_px = 16};

TileOptions options_of(double heading_step_deg, double overlap = 0.7) {
  TileOptions options;
  options.width_m = 84;
  options.scales = {1};
  options.heading_step_deg = heading_step_deg;
  options.overlap = overlap;
  return options;
}

std::vector<Point2> tile_centres(const std::vector<MapChunk>& chunks) {
  std::vector<Point2> list;
  for (const MapChunk& chunk : chunks) {
    const Homography to_ground = ground_from_image(chunk.camera);
    for (int r = 0; r < chunk.tile_rows; ++r)
      for (int c = 0; c < chunk.tile_cols; ++c)
        list.push_back(to_ground({(c * chunk.step + kPhoto.cols / 2.0) * kPhoto.token_px,
                                  (r * chunk.step + kPhoto.rows / 2.0) * kPhoto.token_px}));
  }
  return list;
}

double nearest_m(const std::vector<Point2>& centres, Point2 p) {
  double least = 1e300;
  for (const Point2& c : centres) least = std::min(least, std::hypot(c.x - p.x, c.y - p.y));
  return least;
}

}  // namespace

TEST_CASE("every place of the map is the middle of a tile, but for half a step, at every heading") {
  for (const bool whole : {true, false})
    for (const double only : {0.0, 45.0, 90.0, 135.0}) {
      std::vector<MapChunk> chunks = lay_chunks(kExtent, kPhoto, options_of(45), whole);
      std::erase_if(chunks, [&](const MapChunk& chunk) { return chunk.camera.heading_deg != only; });
      const std::vector<Point2> centres = tile_centres(chunks);
      const double step_m = chunks.front().step * 84.0 / kPhoto.cols;
      for (double x = -190; x <= 190; x += 38)
        for (double y = -140; y <= 140; y += 28)
          CHECK(nearest_m(centres, {x, y}) <= step_m * std::sqrt(0.5) + 1e-6);
    }
}

TEST_CASE("a token of a chunk is as large on the ground as one of the photo") {
  for (const MapChunk& chunk : lay_chunks(kExtent, kPhoto, options_of(90), true)) {
    const Homography to_ground = ground_from_image(chunk.camera);
    const Point2 a = to_ground({0, 0}), b = to_ground({16.0, 0});
    CHECK(std::hypot(b.x - a.x, b.y - a.y) == Approx(84.0 / 28));
    CHECK(chunk.cols == (chunk.tile_cols - 1) * chunk.step + kPhoto.cols);
    CHECK(chunk.camera.width == chunk.cols * 16);
    CHECK(chunk.cols <= 96);
    CHECK(chunk.rows <= 96);
  }
}

TEST_CASE("chunks of a rotated map do not fill its bounding box") {
  double straight = 0, rotated = 0;
  for (const MapChunk& chunk : lay_chunks(kExtent, kPhoto, options_of(45), true)) {
    double& area = chunk.camera.heading_deg == 0 ? straight : rotated;
    if (chunk.camera.heading_deg == 0 || chunk.camera.heading_deg == 45)
      area += 1.0 * chunk.rows * chunk.cols;
  }
  CHECK(rotated < 1.7 * straight);  // the box of this map rotated by 45 degrees is 2.04 times as large
}

TEST_CASE("alone, a tile is a chunk") {
  for (const MapChunk& chunk : lay_chunks(kExtent, kPhoto, options_of(90), false)) {
    CHECK(chunk.tile_rows == 1);
    CHECK(chunk.tile_cols == 1);
    CHECK(chunk.rows == kPhoto.rows);
    CHECK(chunk.cols == kPhoto.cols);
  }
}

TEST_CASE("tiles without a width, and too many of them, are errors") {
  CHECK_THROWS_AS(lay_chunks(kExtent, kPhoto, TileOptions{}, true), Error);
  TileOptions tiny = options_of(1, 0.98);
  tiny.width_m = 1;
  CHECK_THROWS_WITH(lay_chunks(kExtent, kPhoto, tiny, true), Catch::Contains("more than 10000000 tiles"));
}
