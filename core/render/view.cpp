// SPDX-License-Identifier: Apache-2.0
#include "render/view.h"

#include <algorithm>
#include <cmath>

#include "geometry/ground_camera.h"

namespace imatch {

double coverage(const View& view) {
  if (view.valid.empty()) return 0;
  const auto seen = std::count(view.valid.begin(), view.valid.end(), std::uint8_t{255});
  return static_cast<double>(seen) / static_cast<double>(view.valid.size());
}

Homography b_from_a(const View& a, const View& b) {
  return b.ground_from_image.inverse().after(a.ground_from_image);
}

double overlap(const View& a, const View& b) {
  if (a.valid.empty()) return 0;
  const Homography map = b_from_a(a, b);
  std::int64_t shared = 0;
  for (int y = 0; y < a.image.height; ++y)
    for (int x = 0; x < a.image.width; ++x) {
      if (!a.valid[static_cast<std::size_t>(y) * a.image.width + x]) continue;
      const Point2 pixel{x + 0.5, y + 0.5};
      if (!sees_ground(map, pixel)) continue;  // behind camera b
      const Point2 in_b = map(pixel);
      if (!(in_b.x >= 0 && in_b.y >= 0 && in_b.x < b.image.width && in_b.y < b.image.height)) continue;
      const auto column = static_cast<std::size_t>(in_b.x);
      const auto row = static_cast<std::size_t>(in_b.y);
      shared += b.valid[row * b.image.width + column] != 0;
    }
  return static_cast<double>(shared) / static_cast<double>(a.valid.size());
}

}  // namespace imatch
