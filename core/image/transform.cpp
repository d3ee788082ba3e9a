// SPDX-License-Identifier: Apache-2.0
#include "image/transform.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>
#include <opencv2/imgproc.hpp>

#include "base/error.h"
#include "base/stop.h"
#include "image/cv_mat.h"
#include "image/orientation.h"

namespace imatch {
namespace {

constexpr int kLargestWarpSide = 32766;  // cv::remap counts in 16 bits

cv::Matx33d as_matrix(const Homography& h) {
  return cv::Matx33d(h.m.data());
}

/// The same map between frames whose first pixel has its centre at (0, 0), as OpenCV counts.
cv::Matx33d between_pixel_centres(const Homography& b_from_a) {
  const cv::Matx33d corner_from_centre(1, 0, 0.5, 0, 1, 0.5, 0, 0, 1);
  const cv::Matx33d centre_from_corner(1, 0, -0.5, 0, 1, -0.5, 0, 0, 1);
  return centre_from_corner * as_matrix(b_from_a) * corner_from_centre;
}

void require_sides(int width, int height, const char* what) {
  if (width < 1 || height < 1 || width > kLargestWarpSide || height > kLargestWarpSide)
    throw Error(fmt::format("warp: {} of {} x {} px is not allowed; expected sides in [1, {}]", what, width,
                            height, kLargestWarpSide));
}

}  // namespace

Image crop(const Image& image, int x, int y, int width, int height) {
  if (x < 0 || y < 0 || width < 1 || height < 1 || x > image.width - width || y > image.height - height)
    throw Error(fmt::format("crop: {} x {} px at ({}, {}) is not inside a picture of {} x {} px", width,
                            height, x, y, image.width, image.height));
  Image result(width, height);
  for (int row = 0; row < height; ++row)
    std::memcpy(result.pixel(0, row), image.pixel(x, y + row), 3 * static_cast<std::size_t>(width));
  return result;
}

Warped warp_perspective(const Image& a, const Homography& b_from_a, int width, int height) {
  require_sides(a.width, a.height, "a source");
  require_sides(width, height, "a result");
  const Homography a_from_b = b_from_a.inverse();
  Warped result{Image(width, height), std::vector<std::uint8_t>(static_cast<std::size_t>(width) *
                                                                static_cast<std::size_t>(height))};
  const cv::Mat out = as_mat(result.image);
  // The border is repeated, so that pixels on the edge are not darkened; what lies outside is taken away
  // below.
  constexpr int kStripRows = 1024;  // a stop is looked for between strips
  for (int top = 0; top < height; top += kStripRows) {
    check_stop();
    cv::Mat strip = out.rowRange(top, std::min(top + kStripRows, height));
    cv::Matx33d a_from_strip = between_pixel_centres(a_from_b);
    for (int r = 0; r < 3; ++r) a_from_strip(r, 2) += a_from_strip(r, 1) * top;
    cv::warpPerspective(as_mat(a), strip, a_from_strip, strip.size(), cv::INTER_LINEAR | cv::WARP_INVERSE_MAP,
                        cv::BORDER_REPLICATE);
  }
  // On which side of the horizon a source point lies; its centre is on the visible one.
  const auto depth = [&](Point2 p) { return b_from_a.m[6] * p.x + b_from_a.m[7] * p.y + b_from_a.m[8]; };
  const bool positive = depth({a.width / 2.0, a.height / 2.0}) > 0;
  for (int y = 0; y < height; ++y) {
    if (y % 64 == 0) check_stop();
    for (int x = 0; x < width; ++x) {
      const Point2 source = a_from_b({x + 0.5, y + 0.5});
      const bool valid = source.x >= 0 && source.y >= 0 && source.x <= a.width && source.y <= a.height &&
                         (depth(source) > 0) == positive;
      if (!valid) std::memset(result.image.pixel(x, y), 0, 3);
      result.valid[static_cast<std::size_t>(y) * static_cast<std::size_t>(width) +
                   static_cast<std::size_t>(x)] = valid;
    }
  }
  return result;
}

Rotated rotate(const Image& image, double angle_deg) {
  if (image.empty()) throw Error("rotate: the picture has no pixels");
  if (!std::isfinite(angle_deg)) throw Error("rotate: the angle is not finite");
  double turn = std::fmod(angle_deg, 360);
  if (turn < 0) turn += 360;
  const double w = image.width, h = image.height;
  const auto map = [&](double c, double s, double new_w, double new_h) {
    return Affine2{{c, -s, new_w / 2 - c * w / 2 + s * h / 2, s, c, new_h / 2 - s * w / 2 - c * h / 2}};
  };
  if (turn == 0) return {image, {}};
  if (turn == 90) return {upright(image, 6), map(0, 1, h, w)};
  if (turn == 180) return {upright(image, 3), map(-1, 0, w, h)};
  if (turn == 270) return {upright(image, 8), map(0, -1, h, w)};
  const double angle = turn * std::numbers::pi / 180;
  const double c = std::cos(angle), s = std::sin(angle);
  // A rounding error must not add a column.
  const double new_w = std::ceil(std::abs(c) * w + std::abs(s) * h - 1e-6);
  const double new_h = std::ceil(std::abs(s) * w + std::abs(c) * h - 1e-6);
  const Affine2 rotated_from_original = map(c, s, new_w, new_h);
  const auto& m = rotated_from_original.m;
  const Homography homography{{m[0], m[1], m[2], m[3], m[4], m[5], 0, 0, 1}};
  return {warp_perspective(image, homography, static_cast<int>(new_w), static_cast<int>(new_h)).image,
          rotated_from_original};
}

}  // namespace imatch
