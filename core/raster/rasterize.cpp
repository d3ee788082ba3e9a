// SPDX-License-Identifier: Apache-2.0
#include "raster/rasterize.h"

#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/device.h"
#include "base/error.h"
#include "image/with_avx2.h"
#include "raster/triangle_plane.h"

namespace imatch {
namespace {

constexpr int kTile = 32;

/// A run of pixels of one row under one triangle.
struct Row {
  double weights[3][kTile], z[kTile];
  std::int64_t inside[kTile];  ///< >= 0 where the pixel's centre is inside.
};

/// Edge functions of a screen triangle: >= 0 inside.
struct Edges {
  std::int64_t by_x[3], by_y[3], at_0[3];

  explicit Edges(const ScreenTriangle& t) {
    for (std::size_t k = 0; k < 3; ++k) {
      const std::size_t next = (k + 1) % 3;
      const std::int64_t dx = std::int64_t{t.x[next]} - t.x[k], dy = std::int64_t{t.y[next]} - t.y[k];
      by_x[k] = -dy * kSubpixels;
      by_y[k] = dx * kSubpixels;
      at_0[k] = dx * (kSubpixels / 2 - std::int64_t{t.y[k]}) - dy * (kSubpixels / 2 - std::int64_t{t.x[k]});
      // An edge walked down, or to the left, does not hold the pixels that lie on it; walked the other way it
      // does.
      if (dy > 0 || (dy == 0 && dx < 0)) at_0[k] -= 1;
    }
  }
};

IMATCH_WITH_AVX2 void fill_row(const Edges& edges, const TrianglePlane& plane, int x, int y, int count,
                               Row& row) {
  std::int64_t e[3];
  double w[3];
  for (int k = 0; k < 3; ++k) {
    e[k] = edges.at_0[k] + y * edges.by_y[k] + x * edges.by_x[k];
    w[k] = plane.at_0[k] + y * plane.by_y[k];
  }
  for (int i = 0; i < count; ++i) {
    row.inside[i] = (e[0] + i * edges.by_x[0]) | (e[1] + i * edges.by_x[1]) | (e[2] + i * edges.by_x[2]);
    const double column = x + i;
    double a = w[0] + column * plane.by_x[0], b = w[1] + column * plane.by_x[1],
           c = w[2] + column * plane.by_x[2];
    const double sum = a + b + c, scale = sum != 0 ? 1 / sum : 0;
    a = std::min(std::max(a * scale, 0.0), 1.0);
    b = std::min(std::max(b * scale, 0.0), 1.0);
    c = std::min(std::max(c * scale, 0.0), 1.0);
    const double rest = a + b + c, again = rest > 0 ? 1 / rest : 0;  // 0: seen from the edge, without area
    a = rest > 0 ? a * again : 1.0 / 3;
    b = rest > 0 ? b * again : 1.0 / 3;
    c = rest > 0 ? c * again : 1.0 / 3;
    row.weights[0][i] = a;
    row.weights[1][i] = b;
    row.weights[2][i] = c;
    row.z[i] = a * plane.z[0] + b * plane.z[1] + c * plane.z[2];
  }
}

/// The nearest surfaces of the pixels of a tile.
class Tile {
 public:
  explicit Tile(std::size_t layers)
      : layers_(layers), found_(layers * kTile * kTile), count_(kTile * kTile) {}

  void clear() { std::fill(count_.begin(), count_.end(), std::size_t{0}); }

  void add(std::size_t pixel, float depth, float first, float second, std::int32_t triangle, bool turned) {
    Found* list = found_.data() + pixel * layers_;
    std::size_t& count = count_[pixel];
    std::size_t at = count;
    while (at > 0 &&
           (list[at - 1].depth > depth || (list[at - 1].depth == depth && list[at - 1].turned > turned)))
      --at;
    if (at > 0 && list[at - 1].depth == depth && list[at - 1].turned == turned) return;
    if (at == layers_) return;
    if (count < layers_) ++count;
    for (std::size_t i = count - 1; i > at; --i) list[i] = list[i - 1];
    list[at] = {depth, first, second, triangle, turned};
  }

  void copy_row(std::size_t row, std::size_t columns, std::int32_t* triangle, float* weights,
                float* depth) const {
    for (std::size_t pixel = row * kTile; pixel < row * kTile + columns;
         ++pixel, triangle += layers_, weights += 3 * layers_, depth += layers_)
      for (std::size_t i = 0; i < count_[pixel]; ++i) {
        const Found& f = found_[pixel * layers_ + i];
        triangle[i] = f.triangle;
        depth[i] = f.depth;
        weights[3 * i] = f.first;
        weights[3 * i + 1] = f.second;
        weights[3 * i + 2] = std::max(0.F, 1.F - f.first - f.second);
      }
  }

 private:
  struct Found {
    float depth, first, second;
    std::int32_t triangle;
    bool turned;
  };
  std::size_t layers_;
  std::vector<Found> found_;
  std::vector<std::size_t> count_;
};

/// Which triangles touch which tile, tile by tile, in the order of the mesh.
struct Bins {
  std::size_t columns, rows;
  std::vector<std::size_t> first;  ///< One more than there are tiles.
  std::vector<std::uint32_t> list;

  Bins(const std::vector<ScreenTriangle>& triangles, int width, int height)
      : columns(static_cast<std::size_t>(width + kTile - 1) / kTile),
        rows(static_cast<std::size_t>(height + kTile - 1) / kTile),
        first(columns * rows + 1) {
    const auto each_tile = [&](const ScreenTriangle& t, const auto& visit) {
      for (int y = t.first_y / kTile; y <= t.last_y / kTile; ++y)
        for (int x = t.first_x / kTile; x <= t.last_x / kTile; ++x)
          visit(static_cast<std::size_t>(y) * columns + static_cast<std::size_t>(x));
    };
    for (const ScreenTriangle& t : triangles) each_tile(t, [&](std::size_t tile) { ++first[tile + 1]; });
    for (std::size_t tile = 1; tile < first.size(); ++tile) first[tile] += first[tile - 1];
    list.resize(first.back());
    std::vector<std::size_t> next(first.begin(), first.end() - 1);
    for (std::size_t i = 0; i < triangles.size(); ++i)
      each_tile(triangles[i], [&](std::size_t tile) { list[next[tile]++] = static_cast<std::uint32_t>(i); });
  }
};

}  // namespace

Fragments rasterize(const std::vector<Vector3>& in_camera,
                    const std::vector<std::array<std::int32_t, 3>>& triangles, const PinholeCamera& camera,
                    const RasterOptions& options) {
  if (!(options.near_z < options.far_z))
    throw Error(fmt::format("raster: near_z {} is not below far_z {}", options.near_z, options.far_z));
  constexpr double kMost = 1 << 29;
  if (1.0 * options.width * options.height * options.layers > kMost)
    throw Error(fmt::format("raster: {} x {} pixels of {} layers; at most {:.0f} in all", options.width,
                            options.height, options.layers, kMost));
  if (options.backend == "torch")
    return rasterize_by_torch(in_camera, triangles, camera, options, resolve_device("auto").str());
  const ScreenTriangles screen = screen_triangles(
      in_camera, triangles, camera, {options.width, options.height, options.near_z, options.far_z});
  const Bins bins(screen.list, options.width, options.height);

  Fragments result;
  const std::int64_t height = options.height, width = options.width, layers = options.layers;
  result.triangle = at::full({height, width, layers}, -1, at::kInt);
  result.weights = at::zeros({height, width, layers, 3}, at::kFloat);
  result.depth = at::zeros({height, width, layers}, at::kFloat);
  result.not_finite = static_cast<std::int64_t>(screen.not_finite);
  auto* const triangle_out = result.triangle.mutable_data_ptr<std::int32_t>();
  auto* const weights_out = result.weights.mutable_data_ptr<float>();
  auto* const depth_out = result.depth.mutable_data_ptr<float>();
#pragma omp parallel
  {
    Tile tile(static_cast<std::size_t>(layers));
    Row row;
#pragma omp for schedule(dynamic)
    for (std::size_t at = 0; at < bins.columns * bins.rows; ++at) {
      if (bins.first[at] == bins.first[at + 1]) continue;
      const int left = static_cast<int>(at % bins.columns) * kTile,
                top = static_cast<int>(at / bins.columns) * kTile;
      tile.clear();
      for (std::size_t i = bins.first[at]; i < bins.first[at + 1]; ++i) {
        const ScreenTriangle& t = screen.list[bins.list[i]];
        const auto& corners = triangles[static_cast<std::size_t>(t.source)];
        const Edges edges(t);
        const TrianglePlane plane(in_camera[static_cast<std::size_t>(corners[0])],
                                  in_camera[static_cast<std::size_t>(corners[1])],
                                  in_camera[static_cast<std::size_t>(corners[2])], camera);
        const int x = std::max(t.first_x, left), count = std::min(t.last_x, left + kTile - 1) - x + 1;
        for (int y = std::max(t.first_y, top); y <= std::min(t.last_y, top + kTile - 1); ++y) {
          fill_row(edges, plane, x, y, count, row);
          for (int k = 0; k < count; ++k)
            if (row.inside[k] >= 0 && row.z[k] >= options.near_z && row.z[k] <= options.far_z)
              tile.add(static_cast<std::size_t>((y - top) * kTile + x - left + k),
                       static_cast<float>(row.z[k]), static_cast<float>(row.weights[0][k]),
                       static_cast<float>(row.weights[1][k]), t.source, t.turned);
        }
      }
      for (int y = top; y < std::min(top + kTile, options.height); ++y) {
        const auto to = (std::int64_t{y} * width + left) * layers;
        tile.copy_row(static_cast<std::size_t>(y - top),
                      static_cast<std::size_t>(std::min(kTile, options.width - left)), triangle_out + to,
                      weights_out + 3 * to, depth_out + to);
      }
    }
  }
  return result;
}

at::Tensor interpolated(const Fragments& fragments, const std::vector<std::array<std::int32_t, 3>>& triangles,
                        const at::Tensor& of_vertices) {
  if (of_vertices.dim() != 2 || of_vertices.scalar_type() != at::kFloat)
    throw Error("raster: expected a float32 tensor of vertices x channels");
  const at::Tensor values = of_vertices.cpu().contiguous(), named = fragments.triangle.cpu(),
                   shares = fragments.weights.cpu();
  const std::int64_t channels = values.size(1), count = named.numel();
  at::Tensor result = at::zeros({named.size(0), named.size(1), named.size(2), channels}, at::kFloat);
  const auto* triangle = named.const_data_ptr<std::int32_t>();
  const auto* weights = shares.const_data_ptr<float>();
  const auto* from = values.const_data_ptr<float>();
  auto* to = result.mutable_data_ptr<float>();
#pragma omp parallel for schedule(static)
  for (std::int64_t i = 0; i < count; ++i) {
    if (triangle[i] < 0) continue;
    for (std::size_t k = 0; k < 3; ++k) {
      const std::int64_t vertex = triangles[static_cast<std::size_t>(triangle[i])][k];
      const float weight = weights[3 * i + static_cast<std::int64_t>(k)];
      for (std::int64_t c = 0; c < channels; ++c)
        to[i * channels + c] += weight * from[vertex * channels + c];
    }
  }
  return result;
}

}  // namespace imatch
