// SPDX-License-Identifier: Apache-2.0
#include "raster/screen_triangles.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace imatch {
namespace {

constexpr double kGuard_px = 1 << 18;  // differences of products, in 1/4096 px, stay within 63 bits
constexpr std::size_t kChunk = 8192;

struct Corner {
  std::int32_t x = 0, y = 0;
  enum class Place : std::uint8_t { kSeen, kCut, kNotFinite } place = Place::kSeen;
};

Corner corner_of(Vector3 p, const PinholeCamera& camera, double near_z) {
  if (!std::isfinite(p.x) || !std::isfinite(p.y) || !std::isfinite(p.z))
    return {0, 0, Corner::Place::kNotFinite};
  if (p.z < near_z) return {0, 0, Corner::Place::kCut};
  const Point2 at = camera.pixel_of(p);
  if (!(std::abs(at.x) < kGuard_px && std::abs(at.y) < kGuard_px)) return {0, 0, Corner::Place::kCut};
  return {static_cast<std::int32_t>(std::lrint(at.x * kSubpixels)),
          static_cast<std::int32_t>(std::lrint(at.y * kSubpixels)), Corner::Place::kSeen};
}

/// Keeps of a polygon where `inside` is >= 0. A cut edge is always walked from its inner to its outer end, so
/// that two triangles get the same corner from the edge that they share.
template <class Inside>
void clip(std::vector<Vector3>& polygon, const Inside& inside) {
  std::vector<Vector3> kept;
  for (std::size_t i = 0; i < polygon.size(); ++i) {
    const Vector3 a = polygon[i], b = polygon[(i + 1) % polygon.size()];
    const double at_a = inside(a), at_b = inside(b);
    if (at_a >= 0) kept.push_back(a);
    if ((at_a >= 0) == (at_b >= 0)) continue;
    const auto cut = [](Vector3 in, Vector3 out, double d_in, double d_out) {
      return in + (d_in / (d_in - d_out)) * (out - in);
    };
    kept.push_back(at_a >= 0 ? cut(a, b, at_a, at_b) : cut(b, a, at_b, at_a));
  }
  polygon = std::move(kept);
}

class Setup {
 public:
  Setup(const PinholeCamera& camera, const RasterFrame& frame) : camera_(camera), frame_(frame) {}

  void add(Corner a, Corner b, Corner c, std::int32_t source, std::vector<ScreenTriangle>& list) const {
    ScreenTriangle t{{a.x, b.x, c.x}, {a.y, b.y, c.y}, source};
    // The first and the last pixel whose centre, half a pixel from its edges, lies in the box.
    const auto first = [](std::int32_t low) { return (low + kSubpixels / 2 - 1) >> kSubpixelBits; };
    const auto last = [](std::int32_t high) { return (high - kSubpixels / 2) >> kSubpixelBits; };
    t.first_x = std::max(first(std::min({a.x, b.x, c.x})), 0);
    t.last_x = std::min(last(std::max({a.x, b.x, c.x})), frame_.width - 1);
    if (t.first_x > t.last_x) return;
    t.first_y = std::max(first(std::min({a.y, b.y, c.y})), 0);
    t.last_y = std::min(last(std::max({a.y, b.y, c.y})), frame_.height - 1);
    if (t.first_y > t.last_y) return;
    const std::int64_t area = (std::int64_t{b.x} - a.x) * (std::int64_t{c.y} - a.y) -
                              (std::int64_t{b.y} - a.y) * (std::int64_t{c.x} - a.x);
    if (area == 0) return;
    if (area < 0) {
      std::swap(t.x[1], t.x[2]);
      std::swap(t.y[1], t.y[2]);
      t.turned = true;
    }
    list.push_back(t);
  }

  void add_clipped(Vector3 a, Vector3 b, Vector3 c, std::int32_t source,
                   std::vector<ScreenTriangle>& list) const {
    std::vector<Vector3> polygon{a, b, c};
    clip(polygon, [&](Vector3 p) { return p.z - frame_.near_z; });
    const double reach = kGuard_px / 2;
    clip(polygon, [&](Vector3 p) { return reach * p.z - camera_.fx * p.x; });
    clip(polygon, [&](Vector3 p) { return reach * p.z + camera_.fx * p.x; });
    clip(polygon, [&](Vector3 p) { return reach * p.z - camera_.fy * p.y; });
    clip(polygon, [&](Vector3 p) { return reach * p.z + camera_.fy * p.y; });
    if (polygon.size() < 3) return;
    std::vector<Corner> corners;
    for (const Vector3& p : polygon)
      corners.push_back(corner_of({p.x, p.y, std::max(p.z, frame_.near_z)}, camera_, 0));
    for (std::size_t i = 2; i < corners.size(); ++i)
      add(corners[0], corners[i - 1], corners[i], source, list);
  }

 private:
  const PinholeCamera& camera_;
  const RasterFrame& frame_;
};

}  // namespace

ScreenTriangles screen_triangles(const std::vector<Vector3>& in_camera,
                                 const std::vector<std::array<std::int32_t, 3>>& triangles,
                                 const PinholeCamera& camera, const RasterFrame& frame) {
  std::vector<Corner> corners(in_camera.size());
#pragma omp parallel for schedule(static)
  for (std::size_t i = 0; i < in_camera.size(); ++i)
    corners[i] = corner_of(in_camera[i], camera, frame.near_z);

  const Setup setup(camera, frame);
  const std::size_t chunks = (triangles.size() + kChunk - 1) / kChunk;
  std::vector<ScreenTriangles> parts(chunks);
#pragma omp parallel for schedule(dynamic)
  for (std::size_t chunk = 0; chunk < chunks; ++chunk) {
    ScreenTriangles& part = parts[chunk];
    for (std::size_t i = chunk * kChunk; i < std::min(triangles.size(), (chunk + 1) * kChunk); ++i) {
      const auto [ia, ib, ic] = triangles[i];
      const auto a = static_cast<std::size_t>(ia), b = static_cast<std::size_t>(ib),
                 c = static_cast<std::size_t>(ic);
      const Corner::Place worst = std::max({corners[a].place, corners[b].place, corners[c].place});
      const auto source = static_cast<std::int32_t>(i);
      if (worst == Corner::Place::kSeen)
        setup.add(corners[a], corners[b], corners[c], source, part.list);
      else if (worst == Corner::Place::kCut)
        setup.add_clipped(in_camera[a], in_camera[b], in_camera[c], source, part.list);
      else
        ++part.not_finite;
    }
  }
  ScreenTriangles all;
  std::size_t count = 0;
  for (const ScreenTriangles& part : parts) count += part.list.size();
  all.list.reserve(count);
  for (const ScreenTriangles& part : parts) {
    all.list.insert(all.list.end(), part.list.begin(), part.list.end());
    all.not_finite += part.not_finite;
  }
  return all;
}

}  // namespace imatch
