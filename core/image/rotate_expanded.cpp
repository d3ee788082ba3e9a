// SPDX-License-Identifier: Apache-2.0
#include "image/rotate_expanded.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "base/error.h"
#include "image/orientation.h"

namespace imatch {
namespace {

/// Between v[1] and v[2], for d in [0, 1): Keys' cubic with a = -1.
double cubic(const std::array<double, 4>& v, double d) {
  const double p1 = v[1];
  const double p2 = v[2] - v[0];
  const double p3 = 2 * (v[0] - v[1]) + v[2] - v[3];
  const double p4 = v[1] - v[0] - v[2] + v[3];
  return p1 + d * (p2 + d * (p3 + d * p4));
}

/// The sample of each channel at (x, y), given that it lies inside; rows and columns beyond the edge repeat
/// it.
void sample_bicubic(const Image& image, double x, double y, std::uint8_t* out) {
  const double left = std::floor(x - 0.5), top = std::floor(y - 0.5);
  const double dx = x - 0.5 - left, dy = y - 0.5 - top;
  std::array<int, 4> columns{}, rows{};
  for (int k = 0; k < 4; ++k) {
    columns[static_cast<std::size_t>(k)] = std::clamp(static_cast<int>(left) - 1 + k, 0, image.width - 1);
    rows[static_cast<std::size_t>(k)] = std::clamp(static_cast<int>(top) - 1 + k, 0, image.height - 1);
  }
  for (int c = 0; c < 3; ++c) {
    std::array<double, 4> column{};
    for (std::size_t r = 0; r < 4; ++r) {
      std::array<double, 4> row{};
      for (std::size_t k = 0; k < 4; ++k) row[k] = image.pixel(columns[k], rows[r])[c];
      column[r] = cubic(row, dx);
    }
    out[c] = static_cast<std::uint8_t>(std::clamp(cubic(column, dy), 0.0, 255.0));
  }
}

/// Pillow rounds sine and cosine to 15 decimals, so that the canvas of a quarter turn has no column more.
double rounded(double value) {
  return std::round(value * 1e15) / 1e15;
}

}  // namespace

Image rotate_expanded(const Image& image, double angle_deg) {
  if (image.empty()) throw Error("rotate_expanded: the picture has no pixels");
  if (!std::isfinite(angle_deg)) throw Error("rotate_expanded: the angle is not finite");
  double turn = std::fmod(angle_deg, 360);
  if (turn < 0) turn += 360;
  if (turn == 0) return image;
  if (turn == 90) return upright(image, 8);
  if (turn == 180) return upright(image, 3);
  if (turn == 270) return upright(image, 6);

  const double angle = turn * std::numbers::pi / 180;
  const double c = rounded(std::cos(angle)), s = rounded(std::sin(angle));
  const double w = image.width, h = image.height;
  // Where the corners go; the canvas is measured in whole pixels about the centre.
  const auto moved_x = [&](double x, double y) { return c * (x - w / 2) - s * (y - h / 2) + w / 2; };
  const auto moved_y = [&](double x, double y) { return s * (x - w / 2) + c * (y - h / 2) + h / 2; };
  const auto extent = [&](const auto& moved) {
    const auto [least, most] = std::minmax({moved(0, 0), moved(w, 0), moved(w, h), moved(0, h)});
    return static_cast<int>(std::ceil(most) - std::floor(least));
  };
  Image result(extent(moved_x), extent(moved_y));
  at::parallel_for(0, result.height, 8, [&](std::int64_t begin, std::int64_t end) {
    for (auto row = static_cast<int>(begin); row < end; ++row)
      for (int column = 0; column < result.width; ++column) {
        const double u = column + 0.5 - result.width / 2.0, v = row + 0.5 - result.height / 2.0;
        const double x = c * u - s * v + w / 2, y = s * u + c * v + h / 2;
        if (x < 0 || y < 0 || x >= w || y >= h) continue;
        sample_bicubic(image, x, y, result.pixel(column, row));
      }
  });
  return result;
}

}  // namespace imatch
