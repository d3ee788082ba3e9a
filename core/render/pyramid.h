// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "base/lru.h"
#include "geometry/ground_camera.h"
#include "render/biquadratic.h"
#include "render/pyramid_tile.h"
#include "render/view.h"

namespace imatch {

/// A large picture as tiles at ever coarser levels, made or read when first needed.
class Pyramid {
 public:
  struct Level {
    int width;  ///< Texels.
    int height;
    double scale_x;  ///< Texels of level 0 a texel of this level; 1 at level 0, about twice the last one
                     ///< after it.
    double scale_y;
    int columns() const { return (width + kTileSize - 1) / kTileSize; }
    int rows() const { return (height + kTileSize - 1) / kTileSize; }
  };

  Pyramid(std::vector<Level> levels, std::size_t cache_bytes)
      : levels_(std::move(levels)), tiles_(cache_bytes) {}
  virtual ~Pyramid() = default;
  const std::vector<Level>& levels() const { return levels_; }

  /// The tiles in the order of `ids`, those not in the cache made in parallel. Throws what load throws.
  std::vector<std::shared_ptr<const PyramidTile>> tiles(std::span<const TileId> ids) const;
  /// Memory of the tiles kept.
  std::size_t bytes() const { return tiles_.cost(); }

 protected:
  /// Called from several threads at once. Texels outside the level have alpha 0.
  virtual PyramidTile load(TileId id) const = 0;
  /// A tile made of those one level finer: each texel is the mean of 2 × 2, colours weighted by their alpha.
  PyramidTile halved(TileId id) const;

 private:
  std::vector<Level> levels_;
  mutable SharedLru<TileId, PyramidTile> tiles_;
};

/// Halvings of a picture until it fits into one tile, from `first` on.
std::vector<Pyramid::Level> halved_levels(std::vector<Pyramid::Level> first);

/// What the camera sees of a picture laid on the ground. Each pixel is the mean over its footprint, by
/// several bilinear samples from the level whose texels are just finer than the footprint's short side.
/// `texel_from_ground`: metres to texels of level 0, whose north-west corner is (0, 0).
View resample(const CameraOptions& camera, const Pyramid& picture, const Biquadratic& texel_from_ground);

}  // namespace imatch
