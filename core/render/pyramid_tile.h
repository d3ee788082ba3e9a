// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace imatch {

/// Row-major RGBA, 8 bits a channel, kTileSize × kTileSize; alpha is the share of ground that is known there.
inline constexpr int kTileSize = 256;
inline constexpr std::size_t kTileBytes = std::size_t{4} * kTileSize * kTileSize;
struct PyramidTile {
  std::vector<std::uint8_t> rgba = std::vector<std::uint8_t>(kTileBytes);
};

/// Level 0 is the finest; column and row count from the north-west corner.
struct TileId {
  int level = 0;
  int column = 0;
  int row = 0;
  auto operator<=>(const TileId&) const = default;
};

}  // namespace imatch
