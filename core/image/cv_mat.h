// SPDX-License-Identifier: Apache-2.0
//
// The border to OpenCV, for .cpp files of this room only.
#pragma once

#include <opencv2/core.hpp>

#include "image/image.h"

namespace imatch {

/// The picture's own pixels, in RGB order. Must not outlive it.
inline cv::Mat as_mat(Image& image) {
  return {image.height, image.width, CV_8UC3, image.rgb.data()};
}
/// The same for reading.
inline const cv::Mat as_mat(const Image& image) {
  return {image.height, image.width, CV_8UC3, const_cast<std::uint8_t*>(image.rgb.data())};
}

}  // namespace imatch
