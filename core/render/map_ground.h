// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "geo/map.h"
#include "render/ground.h"

namespace imatch {

struct MapGroundOptions : GeoMapOptions {
  double cache_mb = 256;
  static constexpr auto fields = std::tuple_cat(
      GeoMapOptions::fields, std::tuple{field("cache_mb", &MapGroundOptions::cache_mb, in_range(1, 1e6),
                                              "Memory for tiles of the map, in 2^20 bytes.")});
};

/// A GeoTIFF laid flat on the ground; its frame's origin is the map's centre.
/// A view's place on the map follows the exact chain local metres -> WGS-84 -> coordinate system -> pixel.
class MapGround : public Ground {
 public:
  /// Throws Failure as GeoMap does.
  explicit MapGround(const std::string& path, const MapGroundOptions& options = {});
  ~MapGround() override;

  GroundExtent extent() const override;
  const LocalFrame& frame() const override;
  double gsd_m() const override;
  std::string name() const override;
  std::string digest() const override;
  View view(const CameraOptions& camera) const override;
  std::size_t tile_bytes() const override;
  const GeoMap& map() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace imatch
