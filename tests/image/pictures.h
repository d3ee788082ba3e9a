// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstdint>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <string>
#include <vector>

#include "image/image.h"

namespace imatch::testing {

/// Smooth colour waves with no symmetry: it survives JPEG, and each of the eight orientations looks
/// different.
inline Image waves(int width, int height) {
  Image image(width, height);
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) {
      std::uint8_t* p = image.pixel(x, y);
      p[0] = static_cast<std::uint8_t>(127.5 + 120 * std::sin(0.11 * x + 0.5));
      p[1] = static_cast<std::uint8_t>(127.5 + 120 * std::sin(0.07 * y + 0.02 * x));
      p[2] = static_cast<std::uint8_t>(255.0 * x / width * (1.0 - 0.5 * y / height));
    }
  return image;
}

/// Deterministic noise, every value as likely as another.
inline Image noise(int width, int height, std::uint32_t seed = 1) {
  Image image(width, height);
  for (auto& value : image.rgb) {
    seed = seed * 1664525u + 1013904223u;
    value = static_cast<std::uint8_t>(seed >> 24);
  }
  return image;
}

/// OpenCV's encoding of an OpenCV picture (BGR order, any depth and number of channels).
inline std::string encoded(const cv::Mat& mat, const std::string& extension,
                           const std::vector<int>& parameters = {}) {
  std::vector<std::uint8_t> bytes;
  cv::imencode(extension, mat, bytes, parameters);
  return {bytes.begin(), bytes.end()};
}

/// Image as OpenCV has it, BGR.
inline cv::Mat to_bgr(const Image& image) {
  cv::Mat mat(image.height, image.width, CV_8UC3);
  for (int y = 0; y < image.height; ++y)
    for (int x = 0; x < image.width; ++x) {
      const std::uint8_t* p = image.pixel(x, y);
      mat.at<cv::Vec3b>(y, x) = {p[2], p[1], p[0]};
    }
  return mat;
}

inline std::string encoded(const Image& image, const std::string& extension,
                           const std::vector<int>& parameters = {}) {
  return encoded(to_bgr(image), extension, parameters);
}

/// Largest difference of any channel of any pixel; 256 when the sizes differ.
inline int max_difference(const Image& a, const Image& b) {
  if (a.width != b.width || a.height != b.height) return 256;
  int most = 0;
  for (std::size_t i = 0; i < a.rgb.size(); ++i)
    most = std::max(most, std::abs(int{a.rgb[i]} - int{b.rgb[i]}));
  return most;
}

}  // namespace imatch::testing
