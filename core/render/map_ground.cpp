// SPDX-License-Identifier: Apache-2.0
#include "render/map_ground.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/options.h"
#include "base/sha256.h"
#include "render/pyramid.h"

namespace imatch {
namespace {

/// Levels stored in the file as they are, halvings of the coarsest stored one beyond them.
class MapPyramid : public Pyramid {
 public:
  MapPyramid(const GeoMap& map, std::size_t cache_bytes) : Pyramid(levels_of(map), cache_bytes), map_(map) {
    stored_ = levels_of_map(map).size();
  }

 protected:
  PyramidTile load(TileId id) const override {
    return static_cast<std::size_t>(id.level) < stored_ ? read(id) : halved(id);
  }

 private:
  static std::vector<Level> levels_of_map(const GeoMap& map) {
    std::vector<Level> levels;
    for (const GeoMap::Level& l : map.levels()) levels.push_back({l.width, l.height, l.scale_x, l.scale_y});
    return levels;
  }
  static std::vector<Level> levels_of(const GeoMap& map) { return halved_levels(levels_of_map(map)); }

  PyramidTile read(TileId id) const {
    const Level& level = levels()[id.level];
    const int x = id.column * kTileSize;
    const int y = id.row * kTileSize;
    const int w = std::min(kTileSize, level.width - x);
    const int h = std::min(kTileSize, level.height - y);
    const MapPixels pixels = map_.read(id.level, x, y, w, h);
    PyramidTile tile;
    for (int row = 0; row < h; ++row)
      std::copy_n(pixels.rgba.begin() + std::ptrdiff_t{4} * row * w, std::ptrdiff_t{4} * w,
                  tile.rgba.begin() + std::ptrdiff_t{4} * row * kTileSize);
    return tile;
  }

  const GeoMap& map_;
  std::size_t stored_ = 0;
};

void include(GroundExtent& box, Point2 p) {
  box.west_m = std::min(box.west_m, p.x);
  box.east_m = std::max(box.east_m, p.x);
  box.south_m = std::min(box.south_m, p.y);
  box.north_m = std::max(box.north_m, p.y);
}

constexpr GroundExtent kNothing{1e300, 1e300, -1e300, -1e300};

GroundExtent extent_of(const GeoMap& map) {
  GroundExtent box = kNothing;
  constexpr int kSteps = 4;  // along each side: in some projections the sides bulge
  for (int i = 0; i <= kSteps; ++i) {
    const double x = map.width() * i / static_cast<double>(kSteps);
    const double y = map.height() * i / static_cast<double>(kSteps);
    include(box, map.ground_from_pixel({x, 0}));
    include(box, map.ground_from_pixel({x, static_cast<double>(map.height())}));
    include(box, map.ground_from_pixel({0, y}));
    include(box, map.ground_from_pixel({static_cast<double>(map.width()), y}));
  }
  return box;
}

/// The part of the ground that the view and the extent share, or the extent when the horizon is in view.
GroundExtent seen_part(const CameraOptions& camera, const GroundExtent& all) {
  const Homography ground = ground_from_image(camera);
  GroundExtent seen = kNothing;
  for (int k = 0; k < 4; ++k) {
    const Point2 corner{(k & 1) ? camera.width * 1.0 : 0.0, (k >> 1) ? camera.height * 1.0 : 0.0};
    if (!sees_ground(ground, corner)) return all;
    include(seen, ground(corner));
  }
  return {std::clamp(seen.west_m, all.west_m, all.east_m), std::clamp(seen.south_m, all.south_m, all.north_m),
          std::clamp(seen.east_m, all.west_m, all.east_m),
          std::clamp(seen.north_m, all.south_m, all.north_m)};
}

}  // namespace

struct MapGround::Impl {
  GeoMap map;
  MapPyramid pyramid;
  GroundExtent extent;
  GeoMapOptions colours;
  Impl(const std::string& path, const MapGroundOptions& options)
      : map(path, options),
        pyramid(map, static_cast<std::size_t>(options.cache_mb * 1048576)),
        extent(extent_of(map)),
        colours(options) {}
};

MapGround::MapGround(const std::string& path, const MapGroundOptions& options)
    : impl_(std::make_unique<Impl>(path, options)) {}
MapGround::~MapGround() = default;

GroundExtent MapGround::extent() const {
  return impl_->extent;
}
const LocalFrame& MapGround::frame() const {
  return impl_->map.frame();
}
double MapGround::gsd_m() const {
  return impl_->map.gsd_m();
}
const GeoMap& MapGround::map() const {
  return impl_->map;
}

std::string MapGround::name() const {
  return fmt::format("map({}, {}x{} px, {:.3g} m, {})", impl_->map.path(), impl_->map.width(),
                     impl_->map.height(), gsd_m(), impl_->map.crs());
}

std::size_t MapGround::tile_bytes() const {
  return impl_->pyramid.bytes();
}

std::string MapGround::digest() const {
  return sha256_hex(sha256_file(impl_->map.path()) + options_to_json(impl_->colours).dump());
}

View MapGround::view(const CameraOptions& camera) const {
  const GroundExtent part = seen_part(camera, impl_->extent);
  const Point2 centre{(part.west_m + part.east_m) / 2, (part.south_m + part.north_m) / 2};
  const Point2 half{std::max((part.east_m - part.west_m) / 2, 10.0),
                    std::max((part.north_m - part.south_m) / 2, 10.0)};
  const Biquadratic pixel_from_ground(centre, half,
                                      [&](Point2 p) { return impl_->map.pixel_from_ground(p); });
  return resample(camera, impl_->pyramid, pixel_from_ground);
}

}  // namespace imatch
