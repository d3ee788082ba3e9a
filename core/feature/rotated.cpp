// SPDX-License-Identifier: Apache-2.0
#include "feature/rotated.h"

#include <ATen/ops/empty.h>
#include <fmt/format.h>

#include "base/sha256.h"

namespace imatch {
namespace {

Affine2 inverse(const Affine2& map) {
  const auto& m = map.m;
  const double d = m[0] * m[4] - m[1] * m[3];
  return {{m[4] / d, -m[1] / d, (m[1] * m[5] - m[4] * m[2]) / d, -m[3] / d, m[0] / d,
           (m[3] * m[2] - m[0] * m[5]) / d}};
}

Affine2 after(const Affine2& second, const Affine2& first) {
  const auto &s = second.m, &f = first.m;
  return {{s[0] * f[0] + s[1] * f[3], s[0] * f[1] + s[1] * f[4], s[0] * f[2] + s[1] * f[5] + s[2],
           s[3] * f[0] + s[4] * f[3], s[3] * f[1] + s[4] * f[4], s[3] * f[2] + s[4] * f[5] + s[5]}};
}

}  // namespace

Features rotated_back(const Features& of_rotated, const Affine2& rotated_from_original, double rotation_deg,
                      int width, int height) {
  Features result = of_rotated;
  result.original_from_grid = after(inverse(rotated_from_original), of_rotated.original_from_grid);
  result.image_width = width;
  result.image_height = height;
  result.rotation_deg = rotation_deg;
  if (!result.key.empty())
    result.key = sha256_hex(fmt::format("{} rotated {}", of_rotated.key, rotation_deg));

  constexpr double kSlackPx = 1e-6;  // a right angle leaves nothing empty, but for rounding
  const auto inside = [&](double column, double row) {
    const Point2 p = result.original_from_grid({column, row});
    return p.x >= -kSlackPx && p.y >= -kSlackPx && p.x <= width + kSlackPx && p.y <= height + kSlackPx;
  };
  result.selectable = at::empty({std::int64_t{result.rows} * result.cols}, at::kBool);
  bool* flag = result.selectable.mutable_data_ptr<bool>();
  for (int r = 0; r < result.rows; ++r)
    for (int c = 0; c < result.cols; ++c)
      *flag++ = inside(c, r) && inside(c + 1, r) && inside(c, r + 1) && inside(c + 1, r + 1);
  return result;
}

}  // namespace imatch
