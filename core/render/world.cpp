// SPDX-License-Identifier: Apache-2.0
#include "render/world.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/revision.h"
#include "base/sha256.h"
#include "render/landscape.h"
#include "render/painter.h"
#include "render/pyramid.h"

namespace imatch {
namespace {

constexpr double kTexel_m = 0.125;
constexpr int kPaintedLevels = 3;  // coarser ones are halvings: what fills no texel must still be averaged

class WorldPyramid : public Pyramid {
 public:
  WorldPyramid(const WorldOptions& options)
      : Pyramid(levels_of(options.size_m), static_cast<std::size_t>(options.cache_mb * 1048576)),
        land_(static_cast<std::uint64_t>(options.seed), options.size_m) {}

 protected:
  PyramidTile load(TileId id) const override {
    if (id.level >= kPaintedLevels) return halved(id);
    const Level& level = levels()[id.level];
    const double step = kTexel_m * level.scale_x;
    const double edge = land_.size_m() / 2;
    const TexelGrid grid{kTileSize, (id.column * kTileSize + 0.5) * step - edge,
                         edge - (id.row * kTileSize + 0.5) * step, step};
    const std::vector<SurfaceColour> colours = Painter(land_, grid).paint();
    const auto byte = [](float value) {
      return static_cast<std::uint8_t>(std::clamp(value, 0.0f, 255.0f) + 0.5f);
    };
    PyramidTile tile;
    const int width = std::min(kTileSize, level.width - id.column * kTileSize);
    const int height = std::min(kTileSize, level.height - id.row * kTileSize);
    for (int y = 0; y < height; ++y)
      for (int x = 0; x < width; ++x) {
        const std::size_t i = static_cast<std::size_t>(y) * kTileSize + x;
        tile.rgba[4 * i] = byte(colours[i].r);
        tile.rgba[4 * i + 1] = byte(colours[i].g);
        tile.rgba[4 * i + 2] = byte(colours[i].b);
        tile.rgba[4 * i + 3] = 255;
      }
    return tile;
  }

 private:
  static std::vector<Level> levels_of(double size_m) {
    const int texels = static_cast<int>(std::ceil(size_m / kTexel_m));
    return halved_levels({{texels, texels, 1, 1}});
  }
  Landscape land_;
};

}  // namespace

struct World::Impl {
  WorldOptions options;
  WorldPyramid pyramid;
  LocalFrame frame;
  explicit Impl(const WorldOptions& o) : options(o), pyramid(o), frame({o.latitude, o.longitude}) {}
};

World::World(const WorldOptions& options) : impl_(std::make_unique<Impl>(options)) {}
World::~World() = default;

GroundExtent World::extent() const {
  const double half = impl_->options.size_m / 2;
  return {-half, -half, half, half};
}
const LocalFrame& World::frame() const {
  return impl_->frame;
}
double World::gsd_m() const {
  return kTexel_m;
}
const WorldOptions& World::options() const {
  return impl_->options;
}
std::string World::name() const {
  return fmt::format("world(seed={}, size_m={})", impl_->options.seed, impl_->options.size_m);
}

std::string World::digest() const {
  return sha256_hex(fmt::format("world {} {}", revision_of("render"), name()));
}

std::size_t World::tile_bytes() const {
  return impl_->pyramid.bytes();
}

View World::view(const CameraOptions& camera) const {
  const double half = impl_->options.size_m / 2;
  const Biquadratic texel_from_ground({0, 0}, {half, half}, [&](Point2 p) {
    return Point2{(p.x + half) / kTexel_m, (half - p.y) / kTexel_m};
  });
  return resample(camera, impl_->pyramid, texel_from_ground);
}

}  // namespace imatch
