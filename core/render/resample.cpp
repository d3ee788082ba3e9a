// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>
#include <opencv2/core/utility.hpp>

#include "base/stop.h"
#include "render/pyramid.h"

namespace imatch {
namespace {

constexpr int kMostSamples = 8;  // along either axis of a footprint

/// Where the corners of the pixels lie in the picture, (width + 1) × (height + 1), and whether they see
/// ground.
struct Corners {
  int stride;
  std::vector<Point2> texel;
  std::vector<std::uint8_t> seen;
};

Corners corners_of(const CameraOptions& camera, const Homography& ground_from_image, const Biquadratic& map) {
  Corners corners{camera.width + 1, {}, {}};
  const std::size_t count =
      static_cast<std::size_t>(camera.width + 1) * static_cast<std::size_t>(camera.height + 1);
  corners.texel.resize(count);
  corners.seen.resize(count);
  cv::parallel_for_(cv::Range(0, camera.height + 1), [&](const cv::Range& rows) {
    for (int y = rows.start; y < rows.end; ++y)
      for (int x = 0; x <= camera.width; ++x) {
        const std::size_t i = static_cast<std::size_t>(y) * corners.stride + x;
        const Point2 pixel{static_cast<double>(x), static_cast<double>(y)};
        corners.seen[i] = sees_ground(ground_from_image, pixel);
        if (corners.seen[i]) corners.texel[i] = map(ground_from_image(pixel));
      }
  });
  return corners;
}

/// The ground under one pixel: a parallelogram of the picture, and how it is sampled.
struct Footprint {
  Point2 centre;  ///< Texels of level 0.
  Point2 along_x;
  Point2 along_y;
  int level = 0;
  int samples_x = 1;
  int samples_y = 1;
};

bool footprint_of(const Corners& corners, int x, int y, const std::vector<Pyramid::Level>& levels,
                  Footprint& out) {
  const std::size_t i = static_cast<std::size_t>(y) * corners.stride + x;
  const std::size_t below = i + corners.stride;
  if (!(corners.seen[i] && corners.seen[i + 1] && corners.seen[below] && corners.seen[below + 1]))
    return false;
  const Point2 a = corners.texel[i], b = corners.texel[i + 1], c = corners.texel[below],
               d = corners.texel[below + 1];
  out.centre = {(a.x + b.x + c.x + d.x) / 4, (a.y + b.y + c.y + d.y) / 4};
  out.along_x = {(b.x - a.x + d.x - c.x) / 2, (b.y - a.y + d.y - c.y) / 2};
  out.along_y = {(c.x - a.x + d.x - b.x) / 2, (c.y - a.y + d.y - b.y) / 2};
  const double size_x = std::hypot(out.along_x.x, out.along_x.y);
  const double size_y = std::hypot(out.along_y.x, out.along_y.y);
  const double wanted = std::max(std::min(size_x, size_y), std::max(size_x, size_y) / kMostSamples) * 1.001;
  out.level = 0;
  while (out.level + 1 < static_cast<int>(levels.size()) && levels[out.level + 1].scale_x <= wanted)
    ++out.level;
  const double texel = levels[out.level].scale_x;
  const auto samples = [&](double size) {
    return static_cast<int>(
        std::clamp(std::ceil(size / texel - 0.01), 1.0, static_cast<double>(kMostSamples)));
  };
  out.samples_x = samples(size_x);
  out.samples_y = samples(size_y);
  return true;
}

/// The tiles that the view touches.
class LoadedTiles {
 public:
  explicit LoadedTiles(const Pyramid& picture) : picture_(picture) {
    for (const Pyramid::Level& level : picture.levels())
      grids_.push_back({level.columns(), level.rows(), {}, {}});
  }

  /// Asks for what a footprint and its bilinear neighbours cover.
  void want(const Footprint& f) {
    const Pyramid::Level& level = picture_.levels()[f.level];
    const double half_x = (std::abs(f.along_x.x) + std::abs(f.along_y.x)) / 2;
    const double half_y = (std::abs(f.along_x.y) + std::abs(f.along_y.y)) / 2;
    const double left = (f.centre.x - half_x) / level.scale_x - 1;
    const double right = (f.centre.x + half_x) / level.scale_x + 1;
    const double top = (f.centre.y - half_y) / level.scale_y - 1;
    const double bottom = (f.centre.y + half_y) / level.scale_y + 1;
    if (!(right >= 0 && bottom >= 0 && left < level.width && top < level.height)) return;
    Grid& grid = grids_[f.level];
    if (grid.wanted.empty()) grid.wanted.resize(static_cast<std::size_t>(grid.columns) * grid.rows);
    const int c0 = static_cast<int>(std::max(left, 0.0)) / kTileSize;
    const int c1 = static_cast<int>(std::min(right, level.width - 1.0)) / kTileSize;
    const int r0 = static_cast<int>(std::max(top, 0.0)) / kTileSize;
    const int r1 = static_cast<int>(std::min(bottom, level.height - 1.0)) / kTileSize;
    for (int r = r0; r <= r1; ++r)
      for (int c = c0; c <= c1; ++c) grid.wanted[static_cast<std::size_t>(r) * grid.columns + c] = 1;
  }

  void load() {
    std::vector<TileId> ids;
    for (int level = 0; level < static_cast<int>(grids_.size()); ++level) {
      Grid& grid = grids_[level];
      grid.texels.resize(grid.wanted.size());
      for (std::size_t i = 0; i < grid.wanted.size(); ++i)
        if (grid.wanted[i])
          ids.push_back({level, static_cast<int>(i) % grid.columns, static_cast<int>(i) / grid.columns});
    }
    kept_ = picture_.tiles(ids);
    for (std::size_t i = 0; i < ids.size(); ++i) {
      Grid& grid = grids_[ids[i].level];
      grid.texels[static_cast<std::size_t>(ids[i].row) * grid.columns + ids[i].column] =
          kept_[i]->rgba.data();
    }
  }

  /// Null outside the picture.
  const std::uint8_t* texel(int level, int x, int y) const {
    const Grid& grid = grids_[level];
    if (x < 0 || y < 0 || grid.texels.empty()) return nullptr;
    const int column = x / kTileSize;
    const int row = y / kTileSize;
    if (column >= grid.columns || row >= grid.rows) return nullptr;
    const std::uint8_t* tile = grid.texels[static_cast<std::size_t>(row) * grid.columns + column];
    return tile ? tile + 4 * ((y % kTileSize) * kTileSize + x % kTileSize) : nullptr;
  }

 private:
  struct Grid {
    int columns;
    int rows;
    std::vector<std::uint8_t> wanted;
    std::vector<const std::uint8_t*> texels;
  };
  const Pyramid& picture_;
  std::vector<Grid> grids_;
  std::vector<std::shared_ptr<const PyramidTile>> kept_;
};

/// SurfaceColour weighted by coverage, and coverage.
struct Sum {
  float r = 0, g = 0, b = 0, a = 0;
  void add(const std::uint8_t* texel, float weight) {
    const float w = weight * static_cast<float>(texel[3]);
    r += w * static_cast<float>(texel[0]);
    g += w * static_cast<float>(texel[1]);
    b += w * static_cast<float>(texel[2]);
    a += w;
  }
};

/// (x, y) in texels of the level, corner at (0, 0).
void add_bilinear(const LoadedTiles& tiles, int level, double x, double y, Sum& sum) {
  const double left = std::floor(x - 0.5);
  const double top = std::floor(y - 0.5);
  const auto fx = static_cast<float>(x - 0.5 - left);
  const auto fy = static_cast<float>(y - 0.5 - top);
  const int ix = static_cast<int>(left);
  const int iy = static_cast<int>(top);
  const float weights[4] = {(1 - fx) * (1 - fy), fx * (1 - fy), (1 - fx) * fy, fx * fy};
  constexpr int kLast = kTileSize - 1;
  if (ix >= 0 && iy >= 0 && ix % kTileSize != kLast && iy % kTileSize != kLast) {
    const std::uint8_t* texel = tiles.texel(level, ix, iy);
    if (!texel) return;
    sum.add(texel, weights[0]);
    sum.add(texel + 4, weights[1]);
    sum.add(texel + 4 * kTileSize, weights[2]);
    sum.add(texel + 4 * kTileSize + 4, weights[3]);
    return;
  }
  for (int k = 0; k < 4; ++k)
    if (const std::uint8_t* texel = tiles.texel(level, ix + (k & 1), iy + (k >> 1)))
      sum.add(texel, weights[k]);
}

Sum mean_over(const Footprint& f, const LoadedTiles& tiles, const Pyramid::Level& level) {
  Sum sum;
  for (int j = 0; j < f.samples_y; ++j)
    for (int i = 0; i < f.samples_x; ++i) {
      const double s = (i + 0.5) / f.samples_x - 0.5;
      const double t = (j + 0.5) / f.samples_y - 0.5;
      const double x = f.centre.x + s * f.along_x.x + t * f.along_y.x;
      const double y = f.centre.y + s * f.along_x.y + t * f.along_y.y;
      // Far outside, where the texel number would not fit an int, there is nothing to add.
      if (!(x > -2 * level.scale_x && y > -2 * level.scale_y && x < (level.width + 2) * level.scale_x &&
            y < (level.height + 2) * level.scale_y))
        continue;
      add_bilinear(tiles, f.level, x / level.scale_x, y / level.scale_y, sum);
    }
  return sum;
}

}  // namespace

View resample(const CameraOptions& camera, const Pyramid& picture, const Biquadratic& texel_from_ground) {
  View view;
  view.image = Image(camera.width, camera.height);
  view.valid.resize(static_cast<std::size_t>(camera.width) * camera.height);
  view.ground_from_image = ground_from_image(camera);
  view.gsd_m = gsd_at(view.ground_from_image, {camera.width / 2.0, camera.height / 2.0});

  const Corners corners = corners_of(camera, view.ground_from_image, texel_from_ground);
  const std::vector<Pyramid::Level>& levels = picture.levels();
  LoadedTiles tiles(picture);
  Footprint footprint;
  for (int y = 0; y < camera.height; ++y)
    for (int x = 0; x < camera.width; ++x)
      if (footprint_of(corners, x, y, levels, footprint)) tiles.want(footprint);
  tiles.load();

  cv::parallel_for_(cv::Range(0, camera.height), [&](const cv::Range& rows) {
    Footprint f;
    for (int y = rows.start; y < rows.end; ++y) {
      check_stop();
      for (int x = 0; x < camera.width; ++x) {
        if (!footprint_of(corners, x, y, levels, f)) continue;
        const Sum sum = mean_over(f, tiles, levels[f.level]);
        const float full = 255.0f * static_cast<float>(f.samples_x * f.samples_y);
        if (sum.a < 0.5f * full) continue;
        std::uint8_t* pixel = view.image.pixel(x, y);
        pixel[0] = static_cast<std::uint8_t>(sum.r / sum.a + 0.5f);
        pixel[1] = static_cast<std::uint8_t>(sum.g / sum.a + 0.5f);
        pixel[2] = static_cast<std::uint8_t>(sum.b / sum.a + 0.5f);
        view.valid[static_cast<std::size_t>(y) * camera.width + x] = 255;
      }
    }
  });
  return view;
}

}  // namespace imatch
