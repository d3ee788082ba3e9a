// SPDX-License-Identifier: Apache-2.0
#include "render/disturb.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "base/error.h"
#include "render/random.h"

namespace imatch {
namespace {

/// Blurs colour times validity and divides by blurred validity, so that holes do not darken their
/// surroundings.
void blur(View& view, double sigma) {
  Image& image = view.image;
  cv::Mat pixels(image.height, image.width, CV_8UC3, image.rgb.data());
  if (coverage(view) == 1) {
    cv::GaussianBlur(pixels, pixels, {}, sigma, sigma, cv::BORDER_REFLECT_101);
    return;
  }
  cv::Mat colour, weight;
  pixels.convertTo(colour, CV_32FC3);  // black where invalid
  cv::Mat(image.height, image.width, CV_8UC1, view.valid.data()).convertTo(weight, CV_32FC1, 1 / 255.0);
  cv::GaussianBlur(colour, colour, {}, sigma, sigma, cv::BORDER_REFLECT_101);
  cv::GaussianBlur(weight, weight, {}, sigma, sigma, cv::BORDER_REFLECT_101);
  for (int y = 0; y < image.height; ++y)
    for (int x = 0; x < image.width; ++x) {
      if (!view.valid[static_cast<std::size_t>(y) * image.width + x]) continue;
      const cv::Vec3f sum = colour.at<cv::Vec3f>(y, x);
      for (int c = 0; c < 3; ++c)
        image.pixel(x, y)[c] = cv::saturate_cast<std::uint8_t>(sum[c] / weight.at<float>(y, x));
    }
}

using Curve = std::array<float, 256>;

std::array<Curve, 3> tone_curves(const DisturbOptions& o) {
  std::array<Curve, 3> curves;
  for (std::size_t c = 0; c < 3; ++c)
    for (int v = 0; v < 256; ++v) {
      double value = v * (o.colour_gain.empty() ? 1.0 : o.colour_gain[c]);
      value = (value - 127.5) * o.contrast + 127.5 + o.brightness;
      value = std::clamp(value, 0.0, 255.0);
      if (o.gamma != 1) value = 255 * std::pow(value / 255, o.gamma);
      curves[c][static_cast<std::size_t>(v)] = static_cast<float>(value);
    }
  return curves;
}

/// Standard normal to within 3 % in the fourth moment: the number of ones among 64 fair bits, smoothed by a
/// uniform number. Integers and one multiplication only, so that it is the same on every machine.
float normal_from(std::uint64_t hash) {
  const int ones = std::popcount(hash);
  const auto uniform = static_cast<float>(static_cast<double>(mix_bits(hash) >> 40) * 0x1p-24 - 0.5);
  return (static_cast<float>(ones - 32) + uniform) * 0.24935149f;  // variance 16 + 1/12
}

}  // namespace

void disturb(View& view, const DisturbOptions& o) {
  if (!o.colour_gain.empty() && o.colour_gain.size() != 3)
    throw Error(fmt::format("colour_gain: {} numbers are not allowed; expected three, of red, green and blue",
                            o.colour_gain.size()));
  Image& image = view.image;
  if (image.empty()) return;
  if (o.blur_px > 0) blur(view, o.blur_px);

  const std::array<Curve, 3> curves = tone_curves(o);
  const auto noise = static_cast<float>(o.noise);
  const std::uint64_t seed = hash_of(static_cast<std::uint64_t>(o.seed), 400);
  for (std::size_t i = 0; i < view.valid.size(); ++i) {
    if (!view.valid[i]) continue;
    for (std::size_t c = 0; c < 3; ++c) {
      std::uint8_t& value = image.rgb[3 * i + c];
      float changed = curves[c][value];
      if (noise > 0) changed += noise * normal_from(mix_bits(seed + (3 * i + c) * 0x9e3779b97f4a7c15ULL));
      value = static_cast<std::uint8_t>(std::clamp(changed, 0.0f, 255.0f) + 0.5f);
    }
  }

  if (o.jpeg_quality) {
    cv::Mat bgr;
    cv::cvtColor(cv::Mat(image.height, image.width, CV_8UC3, image.rgb.data()), bgr, cv::COLOR_RGB2BGR);
    std::vector<std::uint8_t> file;
    cv::imencode(".jpg", bgr, file, {cv::IMWRITE_JPEG_QUALITY, *o.jpeg_quality});
    bgr = cv::imdecode(file, cv::IMREAD_COLOR);
    cv::Mat rgb(image.height, image.width, CV_8UC3, image.rgb.data());
    cv::cvtColor(bgr, rgb, cv::COLOR_BGR2RGB);
    for (std::size_t i = 0; i < view.valid.size(); ++i)
      if (!view.valid[i])
        std::fill_n(image.rgb.begin() + static_cast<std::ptrdiff_t>(3 * i), 3, std::uint8_t{0});
  }
}

}  // namespace imatch
