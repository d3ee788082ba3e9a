// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <mutex>
#include <opencv2/core/utility.hpp>

#include "base/stop.h"
#include "render/pyramid.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace imatch {
namespace {

constexpr int kMostSamples = 8;  // along either axis of a footprint
constexpr int kRun = 64;         // pixels of a row whose tiles are asked for at once

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

/// How one pixel is sampled; level kUnseen: it sees no ground.
struct Sampling {
  std::uint8_t level, samples_x, samples_y;
};
constexpr std::uint8_t kUnseen = 255;

/// The ground under one pixel: a parallelogram of the picture.
struct Footprint {
  Point2 centre;  ///< Texels of level 0.
  Point2 along_x;
  Point2 along_y;
};

Footprint footprint_of(const Corners& corners, std::size_t i) {
  const std::size_t below = i + corners.stride;
  const Point2 a = corners.texel[i], b = corners.texel[i + 1], c = corners.texel[below],
               d = corners.texel[below + 1];
  return {{(a.x + b.x + c.x + d.x) / 4, (a.y + b.y + c.y + d.y) / 4},
          {(b.x - a.x + d.x - c.x) / 2, (b.y - a.y + d.y - c.y) / 2},
          {(c.x - a.x + d.x - b.x) / 2, (c.y - a.y + d.y - b.y) / 2}};
}

double length(Point2 p) {
  return std::sqrt(p.x * p.x + p.y * p.y);
}

/// Of the pixel whose north-west corner is the i-th.
Sampling sampling_of(const Corners& corners, std::size_t i, const std::vector<Pyramid::Level>& levels) {
  const std::size_t below = i + corners.stride;
  if (!(corners.seen[i] && corners.seen[i + 1] && corners.seen[below] && corners.seen[below + 1]))
    return {kUnseen, 0, 0};
  const Footprint footprint = footprint_of(corners, i);
  const double size_x = length(footprint.along_x), size_y = length(footprint.along_y);
  const double wanted = std::max(std::min(size_x, size_y), std::max(size_x, size_y) / kMostSamples) * 1.001;
  std::size_t level = 0;
  while (level + 1 < levels.size() && levels[level + 1].scale_x <= wanted) ++level;
  const double texel = levels[level].scale_x;
  const auto samples = [&](double size) {
    return static_cast<std::uint8_t>(
        std::clamp(std::ceil(size / texel - 0.01), 1.0, static_cast<double>(kMostSamples)));
  };
  return {static_cast<std::uint8_t>(level), samples(size_x), samples(size_y)};
}

/// The tiles that the view touches.
class LoadedTiles {
 public:
  explicit LoadedTiles(const Pyramid& picture) : picture_(picture) {
    for (const Pyramid::Level& level : picture.levels())
      grids_.push_back({level.columns(), level.rows(), {}, {}});
  }

  /// Asks for what footprints with their centres in a rectangle of level 0, and half as large as `half`,
  /// cover with their bilinear neighbours. May be called from several threads.
  void want(int level_number, Point2 least, Point2 most, Point2 half) {
    const Pyramid::Level& level = picture_.levels()[level_number];
    const double left = (least.x - half.x) / level.scale_x - 1, right = (most.x + half.x) / level.scale_x + 1;
    const double top = (least.y - half.y) / level.scale_y - 1, bottom = (most.y + half.y) / level.scale_y + 1;
    if (!(right >= 0 && bottom >= 0 && left < level.width && top < level.height)) return;
    Grid& grid = grids_[level_number];
    const int c0 = static_cast<int>(std::max(left, 0.0)) / kTileSize;
    const int c1 = static_cast<int>(std::min(right, level.width - 1.0)) / kTileSize;
    const int r0 = static_cast<int>(std::max(top, 0.0)) / kTileSize;
    const int r1 = static_cast<int>(std::min(bottom, level.height - 1.0)) / kTileSize;
    const std::lock_guard lock(mutex_);
    if (grid.wanted.empty()) grid.wanted.resize(static_cast<std::size_t>(grid.columns) * grid.rows);
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
  std::mutex mutex_;
  std::vector<Grid> grids_;
  std::vector<std::shared_ptr<const PyramidTile>> kept_;
};

/// Colour weighted by coverage, and coverage: four lanes, each of which rounds as a float alone would.
using Rgba = float __attribute__((vector_size(16)));

inline Rgba lanes_of(const std::uint8_t* texel) {
#if defined(__SSE2__)
  std::int32_t bytes;
  std::memcpy(&bytes, texel, sizeof bytes);
  const __m128i zero = _mm_setzero_si128();
  const __m128i words = _mm_unpacklo_epi8(_mm_cvtsi32_si128(bytes), zero);
  return _mm_cvtepi32_ps(_mm_unpacklo_epi16(words, zero));
#else
  return Rgba{static_cast<float>(texel[0]), static_cast<float>(texel[1]), static_cast<float>(texel[2]),
              static_cast<float>(texel[3])};
#endif
}

struct Sum {
  Rgba rgba{};
  void add(const std::uint8_t* texel, float weight) {
    using Indices = std::int32_t __attribute__((vector_size(16)));
    const Rgba values = lanes_of(texel), ones = Rgba{} + 1.0f;
    const Rgba alpha = __builtin_shuffle(values, Indices{3, 3, 3, 3});
    rgba += weight * alpha * __builtin_shuffle(values, ones, Indices{0, 1, 2, 7});
  }
};

/// std::floor of what fits an int, without a call.
int whole_below(double value) {
  const int towards_zero = static_cast<int>(value);
  return towards_zero - (value < towards_zero ? 1 : 0);
}

/// (x, y) in texels of the level, corner at (0, 0).
void add_bilinear(const LoadedTiles& tiles, int level, double x, double y, Sum& sum) {
  const int ix = whole_below(x - 0.5), iy = whole_below(y - 0.5);
  const auto fx = static_cast<float>(x - 0.5 - ix), fy = static_cast<float>(y - 0.5 - iy);
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

/// [n][i]: where the i-th of n samples of a footprint lies, its side being from -0.5 to 0.5.
constexpr auto kOffsets = [] {
  std::array<std::array<double, kMostSamples>, kMostSamples + 1> offsets{};
  for (std::size_t n = 1; n <= kMostSamples; ++n)
    for (std::size_t i = 0; i < n; ++i)
      offsets[n][i] = (static_cast<double>(i) + 0.5) / static_cast<double>(n) - 0.5;
  return offsets;
}();

Sum mean_over(const Footprint& f, const Sampling& sampling, const LoadedTiles& tiles,
              const Pyramid::Level& level) {
  Sum sum;
  const bool is_finest = level.scale_x == 1 && level.scale_y == 1;  // spares two divisions a sample
  for (int j = 0; j < sampling.samples_y; ++j)
    for (int i = 0; i < sampling.samples_x; ++i) {
      const double s = kOffsets[sampling.samples_x][i], t = kOffsets[sampling.samples_y][j];
      const double x = f.centre.x + s * f.along_x.x + t * f.along_y.x;
      const double y = f.centre.y + s * f.along_x.y + t * f.along_y.y;
      // Far outside, where the texel number would not fit an int, there is nothing to add.
      if (!(x > -2 * level.scale_x && y > -2 * level.scale_y && x < (level.width + 2) * level.scale_x &&
            y < (level.height + 2) * level.scale_y))
        continue;
      add_bilinear(tiles, sampling.level, is_finest ? x : x / level.scale_x,
                   is_finest ? y : y / level.scale_y, sum);
    }
  return sum;
}

/// Samplings of the pixels [first, last) of row y, and what they want of the picture: of each level at once,
/// for neighbours lie in few tiles.
void sample_run(const Corners& corners, int first, int last, int y, const std::vector<Pyramid::Level>& levels,
                LoadedTiles& tiles, Sampling* row) {
  constexpr double kFar = 1e300;
  Point2 least, most, half;
  int level = kUnseen;
  const auto flush = [&] {
    if (level != kUnseen) tiles.want(level, least, most, half);
  };
  for (int x = first; x < last; ++x) {
    const std::size_t i = static_cast<std::size_t>(y) * corners.stride + x;
    row[x] = sampling_of(corners, i, levels);
    if (row[x].level == kUnseen) continue;
    if (row[x].level != level) {
      flush();
      level = row[x].level;
      least = {kFar, kFar}, most = {-kFar, -kFar}, half = {};
    }
    const Footprint f = footprint_of(corners, i);
    least = {std::min(least.x, f.centre.x), std::min(least.y, f.centre.y)};
    most = {std::max(most.x, f.centre.x), std::max(most.y, f.centre.y)};
    half = {std::max(half.x, (std::abs(f.along_x.x) + std::abs(f.along_y.x)) / 2),
            std::max(half.y, (std::abs(f.along_x.y) + std::abs(f.along_y.y)) / 2)};
  }
  flush();
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
  std::vector<Sampling> samplings(static_cast<std::size_t>(camera.width) * camera.height);
  cv::parallel_for_(cv::Range(0, camera.height), [&](const cv::Range& rows) {
    for (int y = rows.start; y < rows.end; ++y)
      for (int x = 0; x < camera.width; x += kRun)
        sample_run(corners, x, std::min(x + kRun, camera.width), y, levels, tiles,
                   samplings.data() + static_cast<std::size_t>(y) * camera.width);
  });
  tiles.load();

  cv::parallel_for_(cv::Range(0, camera.height), [&](const cv::Range& rows) {
    for (int y = rows.start; y < rows.end; ++y) {
      check_stop();
      for (int x = 0; x < camera.width; ++x) {
        const Sampling& sampling = samplings[static_cast<std::size_t>(y) * camera.width + x];
        if (sampling.level == kUnseen) continue;
        const Footprint f = footprint_of(corners, static_cast<std::size_t>(y) * corners.stride + x);
        const Rgba sum = mean_over(f, sampling, tiles, levels[sampling.level]).rgba;
        const float full = 255.0f * static_cast<float>(sampling.samples_x * sampling.samples_y);
        if (sum[3] < 0.5f * full) continue;
        std::uint8_t* pixel = view.image.pixel(x, y);
        for (int c = 0; c < 3; ++c) pixel[c] = static_cast<std::uint8_t>(sum[c] / sum[3] + 0.5f);
        view.valid[static_cast<std::size_t>(y) * camera.width + x] = 255;
      }
    }
  });
  return view;
}

}  // namespace imatch
