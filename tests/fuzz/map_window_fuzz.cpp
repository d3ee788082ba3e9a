// SPDX-License-Identifier: Apache-2.0
// A GeoTIFF: opened, its corners placed, and windows of every level read.
#include "fuzz/target.h"
#include "geo/map.h"

using namespace imatch;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::File file(data, size);
  fuzz::attempt([&] {
    const GeoMap map(file.path());
    for (std::size_t level = 0; level < map.levels().size() && level < 8; ++level) {
      const auto& [width, height, scale_x, scale_y] = map.levels()[level];
      const int w = std::min(width, 64), h = std::min(height, 64);
      fuzz::attempt([&, at = static_cast<int>(level)] {
        if (map.read(at, 0, 0, w, h).rgba.size() != std::size_t{4} * w * h) std::abort();
        map.read(at, width - w, height - h, w, h);
      });
      fuzz::attempt([&, at = static_cast<int>(level)] { map.read(at, width - 1, 0, 2, 1); });
    }
    for (const Point2 corner :
         {Point2{0, 0}, Point2{1.0 * map.width(), 1.0 * map.height()}, Point2{-1e9, 1e9}})
      fuzz::attempt([&] { map.pixel_from_latlon(map.latlon_from_pixel(corner)); });
  });
  return 0;
}
