// SPDX-License-Identifier: Apache-2.0
#include "image/rotate_expanded.h"

#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <string>

#include "base/error.h"
#include "base/stop.h"
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
  return std::stod(fmt::format("{:.15f}", value));
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

  const double angle = turn * (std::numbers::pi / 180);
  const double c = rounded(std::cos(angle)), s = rounded(std::sin(angle));
  const double w = image.width, h = image.height;
  // From the result to the photo, about its centre. Sums are made in Pillow's order: samples are cut to whole
  // numbers, so that the last bit of a position can show.
  double x0 = c * (-w / 2) - s * (-h / 2) + w / 2, y0 = s * (-w / 2) + c * (-h / 2) + h / 2;
  const auto source_x = [&](double x, double y) { return c * x - s * y + x0; };
  const auto source_y = [&](double x, double y) { return s * x + c * y + y0; };
  // Where the corners go: the canvas holds their whole pixels.
  const auto extent = [&](const auto& source) {
    const auto [least, most] = std::minmax({source(0, 0), source(w, 0), source(w, h), source(0, h)});
    return static_cast<int>(std::ceil(most) - std::floor(least));
  };
  Image result(extent(source_x), extent(source_y));
  const double left = -(result.width - w) / 2, top = -(result.height - h) / 2;
  const double x1 = source_x(left, top), y1 = source_y(left, top);
  x0 = x1, y0 = y1;
  at::parallel_for(0, result.height, 8, [&](std::int64_t begin, std::int64_t end) {
    for (auto row = static_cast<int>(begin); row < end; ++row) {
      check_stop();
      for (int column = 0; column < result.width; ++column) {
        const double x = source_x(column + 0.5, row + 0.5), y = source_y(column + 0.5, row + 0.5);
        if (x < 0 || y < 0 || x >= w || y >= h) continue;
        sample_bicubic(image, x, y, result.pixel(column, row));
      }
    }
  });
  return result;
}

}  // namespace imatch
