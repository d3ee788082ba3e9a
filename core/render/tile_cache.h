// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

namespace imatch {

/// Row-major RGBA, 8 bits a channel, kTileSize × kTileSize; alpha is the share of ground that is known there.
inline constexpr int kTileSize = 256;
struct PyramidTile {
  std::vector<std::uint8_t> rgba = std::vector<std::uint8_t>(std::size_t{4} * kTileSize * kTileSize);
};

/// Level 0 is the finest; column and row count from the north-west corner.
struct TileId {
  int level = 0;
  int column = 0;
  int row = 0;
  auto operator<=>(const TileId&) const = default;
};

/// Tiles kept in memory up to a limit; the least recently used go first. Tiles in use live on with their
/// users. All functions may be called from several threads.
class TileCache {
 public:
  explicit TileCache(std::size_t limit_bytes) : limit_bytes_(limit_bytes) {}

  /// Null when the tile is not kept.
  std::shared_ptr<const PyramidTile> find(TileId id);
  void put(TileId id, std::shared_ptr<const PyramidTile> tile);
  std::size_t bytes() const;

 private:
  struct Entry {
    std::shared_ptr<const PyramidTile> tile;
    std::list<TileId>::iterator use;
  };
  std::size_t limit_bytes_;
  mutable std::mutex mutex_;
  std::list<TileId> uses_;  // most recent first
  std::map<TileId, Entry> tiles_;
};

}  // namespace imatch
