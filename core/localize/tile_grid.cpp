// SPDX-License-Identifier: Apache-2.0
#include "localize/tile_grid.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "base/error.h"
#include "geo/footprint.h"

namespace imatch {
namespace {

constexpr double kMostTiles = 1e7;

Point2 rotated(Point2 ground, double heading_rad) {
  const double c = std::cos(heading_rad), s = std::sin(heading_rad);
  return {ground.x * c - ground.y * s, -ground.x * s - ground.y * c};
}

Point2 ground_of(Point2 rotated, double heading_rad) {
  const double c = std::cos(heading_rad), s = std::sin(heading_rad);
  return {rotated.x * c - rotated.y * s, -rotated.x * s - rotated.y * c};
}

struct Range {
  double low = 1e300;
  double high = -1e300;
  void include(double value) { low = std::min(low, value), high = std::max(high, value); }
};

/// The extent's corners, in order round it, along the image axes of a camera with that heading: x to its
/// right, y downwards.
std::array<Point2, 4> turned_corners(const GroundExtent& e, double heading_rad) {
  return {rotated({e.west_m, e.south_m}, heading_rad), rotated({e.east_m, e.south_m}, heading_rad),
          rotated({e.east_m, e.north_m}, heading_rad), rotated({e.west_m, e.north_m}, heading_rad)};
}

/// Where along x the extent lies for y in [top, bottom].
Range across_within(const std::array<Point2, 4>& corners, double top, double bottom) {
  Range range;
  for (std::size_t i = 0; i < corners.size(); ++i) {
    const Point2 p = corners[i], q = corners[(i + 1) % corners.size()];
    if (p.y >= top && p.y <= bottom) range.include(p.x);
    for (const double y : {top, bottom})
      if ((p.y - y) * (q.y - y) < 0) range.include(p.x + (q.x - p.x) * (y - p.y) / (q.y - p.y));
  }
  return range;
}

/// Tiles along one axis, spread over as many chunks as needed, evenly.
struct Axis {
  double first_m;  ///< Centre of the first tile.
  int num_tiles;
  int tiles_a_chunk;
};

Axis axis_over(double low, double high, double step_m, int step, int tile_tokens, int chunk_tokens,
               bool whole) {
  const int num = std::max(1, static_cast<int>(std::floor((high - low) / step_m)) + 1);
  const int most = whole ? std::max(1, (chunk_tokens - tile_tokens) / step + 1) : 1;
  const int chunks = (num + most - 1) / most;
  return {(low + high) / 2 - (num - 1) * step_m / 2, num, (num + chunks - 1) / chunks};
}

}  // namespace

std::vector<MapChunk> lay_chunks(const GroundExtent& extent, const PhotoGrid& photo,
                                 const TileOptions& options, bool whole) {
  if (!(options.width_m > 0))
    throw Error("width_m: missing; expected the width in metres of the ground that a photo shows");
  std::vector<MapChunk> chunks;
  double num_tiles = 0;
  const int num_headings = std::max(1, static_cast<int>(std::lround(360 / options.heading_step_deg)));
  for (const double scale : options.scales) {
    const double width_m = options.width_m * scale;
    const double token_m = width_m / photo.cols;
    const int step =
        std::max(1, static_cast<int>(std::lround((1 - options.overlap) * std::min(photo.rows, photo.cols))));
    for (int k = 0; k < num_headings; ++k) {
      const double heading_deg = 360.0 * k / num_headings;
      const double heading = heading_deg * std::numbers::pi / 180;
      const std::array<Point2, 4> corners = turned_corners(extent, heading);
      Range height;
      for (const Point2& corner : corners) height.include(corner.y);
      const Axis down =
          axis_over(height.low, height.high, step * token_m, step, photo.rows, options.chunk_tokens, whole);
      for (int top = 0; top < down.num_tiles; top += down.tiles_a_chunk) {
        // A band of chunks begins and ends with the map: of a rotated one the bounds are half empty.
        const double first_m = down.first_m + top * step * token_m;
        const double last_m = first_m + (down.tiles_a_chunk - 1) * step * token_m;
        const Range width = across_within(corners, first_m, last_m);
        if (width.low > width.high) continue;
        const Axis across =
            axis_over(width.low, width.high, step * token_m, step, photo.cols, options.chunk_tokens, whole);
        num_tiles += 1.0 * across.num_tiles * down.tiles_a_chunk;
        if (num_tiles > kMostTiles)
          throw Error(
              fmt::format("localize: more than {:.0f} tiles; use a smaller overlap, a larger "
                          "heading_step_deg or fewer scales",
                          kMostTiles));
        for (int left = 0; left < across.num_tiles; left += across.tiles_a_chunk) {
          MapChunk chunk;
          chunk.tile_width_m = width_m;
          chunk.step = step;
          chunk.tile_cols = across.tiles_a_chunk;
          chunk.tile_rows = down.tiles_a_chunk;
          chunk.cols = (chunk.tile_cols - 1) * step + photo.cols;
          chunk.rows = (chunk.tile_rows - 1) * step + photo.rows;
          const Point2 centre =
              ground_of({across.first_m + (left + (chunk.tile_cols - 1) / 2.0) * step * token_m,
                         down.first_m + (top + (chunk.tile_rows - 1) / 2.0) * step * token_m},
                        heading);
          chunk.camera.x_m = centre.x;
          chunk.camera.y_m = centre.y;
          chunk.camera.heading_deg = heading_deg;
          chunk.camera.fov_deg = kTileFieldOfViewDeg;
          chunk.camera.width = chunk.cols * photo.token_px;
          chunk.camera.height = chunk.rows * photo.token_px;
          chunk.camera.altitude_m = altitude_for_width_m(chunk.cols * token_m, kTileFieldOfViewDeg);
          chunks.push_back(chunk);
        }
      }
    }
  }
  return chunks;
}

}  // namespace imatch
