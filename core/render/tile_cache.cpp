// SPDX-License-Identifier: Apache-2.0
#include "render/tile_cache.h"

namespace imatch {

constexpr std::size_t kTileBytes = std::size_t{4} * kTileSize * kTileSize;

std::shared_ptr<const PyramidTile> TileCache::find(TileId id) {
  const std::lock_guard lock(mutex_);
  const auto found = tiles_.find(id);
  if (found == tiles_.end()) return nullptr;
  uses_.splice(uses_.begin(), uses_, found->second.use);
  return found->second.tile;
}

void TileCache::put(TileId id, std::shared_ptr<const PyramidTile> tile) {
  const std::lock_guard lock(mutex_);
  if (tiles_.contains(id)) return;
  uses_.push_front(id);
  tiles_[id] = {std::move(tile), uses_.begin()};
  while (tiles_.size() * kTileBytes > limit_bytes_ && tiles_.size() > 1) {
    tiles_.erase(uses_.back());
    uses_.pop_back();
  }
}

std::size_t TileCache::bytes() const {
  const std::lock_guard lock(mutex_);
  return tiles_.size() * kTileBytes;
}

}  // namespace imatch
