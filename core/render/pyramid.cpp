// SPDX-License-Identifier: Apache-2.0
#include "render/pyramid.h"

#include <opencv2/core/utility.hpp>

#include "base/stop.h"

namespace imatch {

std::vector<std::shared_ptr<const PyramidTile>> Pyramid::tiles(std::span<const TileId> ids) const {
  std::vector<std::shared_ptr<const PyramidTile>> found(ids.size());
  std::vector<std::size_t> missing;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    found[i] = tiles_.find(ids[i]);
    if (!found[i]) missing.push_back(i);
  }
  if (missing.empty()) return found;
  const auto load_range = [&](const cv::Range& range) {
    for (int k = range.start; k < range.end; ++k) {
      check_stop();
      const std::size_t i = missing[static_cast<std::size_t>(k)];
      found[i] = std::make_shared<const PyramidTile>(load(ids[i]));
      tiles_.insert(ids[i], found[i], kTileBytes);
    }
  };
  const int count = static_cast<int>(missing.size());
  cv::parallel_for_(cv::Range(0, count), load_range, count);
  return found;
}

PyramidTile Pyramid::halved(TileId id) const {
  const Level& finer = levels()[id.level - 1];
  std::vector<TileId> ids;
  for (int k = 0; k < 4; ++k) {
    const TileId child{id.level - 1, 2 * id.column + (k & 1), 2 * id.row + (k >> 1)};
    if (child.column < finer.columns() && child.row < finer.rows()) ids.push_back(child);
  }
  const auto children = tiles(ids);
  PyramidTile tile;
  constexpr int kHalf = kTileSize / 2;
  for (std::size_t c = 0; c < ids.size(); ++c) {
    const std::uint8_t* from = children[c]->rgba.data();
    const int x0 = (ids[c].column & 1) * kHalf;
    const int y0 = (ids[c].row & 1) * kHalf;
    for (int y = 0; y < kHalf; ++y)
      for (int x = 0; x < kHalf; ++x) {
        const std::uint8_t* p = from + 4 * (2 * y * kTileSize + 2 * x);
        const std::uint8_t* four[] = {p, p + 4, p + 4 * kTileSize, p + 4 * kTileSize + 4};
        int alpha = 0;
        int sum[3] = {};
        for (const std::uint8_t* t : four) {
          alpha += t[3];
          for (int i = 0; i < 3; ++i) sum[i] += t[3] * t[i];
        }
        if (alpha == 0) continue;
        std::uint8_t* out = tile.rgba.data() + 4 * ((y0 + y) * kTileSize + x0 + x);
        for (int i = 0; i < 3; ++i) out[i] = static_cast<std::uint8_t>((sum[i] + alpha / 2) / alpha);
        out[3] = static_cast<std::uint8_t>((alpha + 2) / 4);
      }
  }
  return tile;
}

std::vector<Pyramid::Level> halved_levels(std::vector<Pyramid::Level> levels) {
  while (levels.back().width > kTileSize || levels.back().height > kTileSize) {
    const Pyramid::Level& last = levels.back();
    levels.push_back({(last.width + 1) / 2, (last.height + 1) / 2, 2 * last.scale_x, 2 * last.scale_y});
  }
  return levels;
}

}  // namespace imatch
