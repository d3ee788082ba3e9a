// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <fstream>
#include <numeric>
#include <opencv2/core/persistence.hpp>
#include <opencv2/imgproc.hpp>
#include <stdexcept>

#include "inspection/anomaly.h"

namespace imatch {
namespace {

cv::Mat view_of(const AnomalyMap& map) {
  return {map.height, map.width, CV_32F, const_cast<float*>(map.values.data())};
}

}  // namespace

MapRange MapRange::from_norm_stats(const std::string& path) {
  MapRange range;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const std::size_t equals = line.find('=');
    if (equals == std::string::npos) continue;
    const std::string key = line.substr(0, equals);
    const double value = std::atof(line.c_str() + equals + 1);
    if (value <= 0) continue;
    if (key == "mean_pixel") range.low = value - 10;
    if (key == "max_pixel") range.high = value + 20;
  }
  return range;
}

AnomalyThresholds AnomalyThresholds::from_json(const std::string& path) {
  if (!std::ifstream(path)) throw std::runtime_error(path + ": it cannot be read");
  try {
    const cv::FileStorage file(path, cv::FileStorage::READ | cv::FileStorage::FORMAT_JSON);
    const cv::FileNode image = file["image"], pixel = file["pixel"];
    const auto is_number = [](const cv::FileNode& node) { return node.isReal() || node.isInt(); };
    if (is_number(image) && is_number(pixel)) return {image.real(), pixel.real()};
  } catch (const cv::Exception&) {
    // told below
  }
  throw std::runtime_error(path + ": expected a JSON file with the numbers 'image' and 'pixel'");
}

AnomalyMap scaled_map(const AnomalyMap& map, const MapRange& range, int width, int height) {
  return scaled_map(map.values.data(), map.width, map.height, range, width, height);
}

AnomalyMap scaled_map(const float* values, int map_width, int map_height, const MapRange& range, int width,
                      int height) {
  AnomalyMap scaled{width, height,
                    std::vector<float>(static_cast<std::size_t>(width) * static_cast<std::size_t>(height))};
  if (map_width != width || map_height != height) {
    cv::Mat view = view_of(scaled);
    cv::resize(cv::Mat(map_height, map_width, CV_32F, const_cast<float*>(values)), view, view.size(), 0, 0,
               cv::INTER_LINEAR);
    values = scaled.values.data();
  }
  const double factor = 100 / (range.high - range.low);
  for (std::size_t i = 0; i < scaled.values.size(); ++i)
    scaled.values[i] = static_cast<float>(std::clamp((values[i] - range.low) * factor, 0.0, 100.0));
  return scaled;
}

double mean_of_map(const AnomalyMap& map) {
  if (map.values.empty()) return 0;
  // Several sums, since each addition waits for the one before.
  constexpr std::size_t kSums = 8;
  std::array<double, kSums> sums{};
  const std::size_t whole = map.values.size() / kSums * kSums;
  for (std::size_t i = 0; i < whole; i += kSums)
    for (std::size_t j = 0; j < kSums; ++j) sums[j] += map.values[i + j];
  for (std::size_t i = whole; i < map.values.size(); ++i) sums[0] += map.values[i];
  return std::accumulate(sums.begin(), sums.end(), 0.0) / static_cast<double>(map.values.size());
}

std::vector<Blob> blobs_of(const AnomalyMap& scaled, const BlobRule& rule) {
  const cv::Mat mask = view_of(scaled) > rule.pass_threshold;
  std::vector<std::vector<cv::Point>> contours;
  cv::findContours(mask, contours, cv::RETR_EXTERNAL, cv::CHAIN_APPROX_SIMPLE);
  std::vector<Blob> blobs;
  for (const std::vector<cv::Point>& contour : contours) {
    const cv::Rect box = cv::boundingRect(contour);
    Blob blob{box.x, box.y, box.width, box.height, cv::contourArea(contour), false};
    blob.is_defect = blob.area_px >= rule.min_area_px ||
                     (blob.width >= rule.min_width_px && blob.height >= rule.min_height_px);
    blobs.push_back(blob);
  }
  return blobs;
}

}  // namespace imatch
