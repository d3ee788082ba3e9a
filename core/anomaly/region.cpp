// SPDX-License-Identifier: Apache-2.0
#include "anomaly/region.h"

#include <fmt/format.h>

#include <cmath>
#include <opencv2/imgproc.hpp>

#include "base/error.h"

namespace imatch {
namespace {

cv::Mat region_pixels(const Image& image) {
  return {image.height, image.width, CV_8UC3, const_cast<std::uint8_t*>(image.rgb.data())};
}

}  // namespace

InspectedRegion region_of(const Image& image, const PixelRect& rect, double threshold) {
  if (rect.width < 1 || rect.height < 1 || rect.x < 0 || rect.y < 0 || rect.x + rect.width > image.width ||
      rect.y + rect.height > image.height)
    throw Error(
        fmt::format("region {} {} {} {} is not inside of a picture of {} x {} px; expected x y width height",
                    rect.x, rect.y, rect.width, rect.height, image.width, image.height));
  return {cropped(image, rect), threshold};
}

std::optional<RegionMatch> find_region(const Image& image, const Image& template_image) {
  if (image.width < template_image.width || image.height < template_image.height) return std::nullopt;
  cv::Mat correlation;
  cv::matchTemplate(region_pixels(image), region_pixels(template_image), correlation, cv::TM_CCOEFF_NORMED);
  RegionMatch best{{0, 0, template_image.width, template_image.height}, -2};
  for (int y = 0; y < correlation.rows; ++y)
    for (int x = 0; x < correlation.cols; ++x) {
      const float value = correlation.at<float>(y, x);
      // A window without any contrast has no correlation: OpenCV gives it infinity or 1.
      if (std::isfinite(value) && value <= 1.0001F && value > best.correlation) {
        best.correlation = value;
        best.rect.x = x;
        best.rect.y = y;
      }
    }
  if (best.correlation < -1) return std::nullopt;
  return best;
}

}  // namespace imatch
