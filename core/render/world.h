// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "render/ground.h"

namespace imatch {

struct WorldOptions {
  std::int64_t seed = 1;
  double size_m = 1280;
  double latitude = 47.0;
  double longitude = 8.0;
  double cache_mb = 256;
  static constexpr auto fields = std::tuple{
      field("seed", &WorldOptions::seed, anything(),
            "Another seed is another world; one seed is one world everywhere."),
      field("size_m", &WorldOptions::size_m, in_range(64, 8192), "Side of the square world, m."),
      field("latitude", &WorldOptions::latitude, in_range(-89, 89),
            "Where the middle of the world is said to lie, degrees."),
      field("longitude", &WorldOptions::longitude, in_range(-180, 180),
            "Where the middle of the world is said to lie, degrees."),
      field("cache_mb", &WorldOptions::cache_mb, in_range(1, 1e6),
            "Memory for painted tiles, in 2^20 bytes."),
  };
};

/// A synthetic scene: fields, meadows, woods, orchards, villages, roads, a river, ponds. Texels of 0.125 m,
/// painted when first seen. The same seed and size give the same bytes on every machine and with any number
/// of threads.
class World : public Ground {
 public:
  explicit World(const WorldOptions& options = {});
  ~World() override;

  GroundExtent extent() const override;
  const LocalFrame& frame() const override;
  double gsd_m() const override;
  std::string name() const override;
  std::string digest() const override;
  View view(const CameraOptions& camera) const override;
  std::size_t tile_bytes() const override;
  const WorldOptions& options() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace imatch
