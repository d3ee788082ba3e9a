// SPDX-License-Identifier: Apache-2.0
#include "anomaly/detector.h"

#include <ATen/ops/empty.h>
#include <fmt/format.h>

#include <filesystem>
#include <opencv2/imgproc.hpp>

#include "anomaly/export_files.h"
#include "anomaly/openvino_scorer.h"
#include "base/error.h"
#include "image/draw.h"

namespace imatch {
namespace {

at::Tensor plain_map(const at::Tensor& map) {
  return map.to(at::kCPU, at::kFloat).contiguous();
}

/// Raw distances over the inspected part, in its pixels.
AnomalyMap map_in_pixels(const Detection& detection) {
  const at::Tensor map = plain_map(detection.raw.map);
  const PixelRect& rect = detection.raw.rect;
  AnomalyMap resized{
      rect.width, rect.height,
      std::vector<float>(static_cast<std::size_t>(rect.width) * static_cast<std::size_t>(rect.height))};
  const cv::Mat from(static_cast<int>(map.size(0)), static_cast<int>(map.size(1)), CV_32F,
                     const_cast<float*>(map.const_data_ptr<float>()));
  cv::Mat to(resized.height, resized.width, CV_32F, resized.values.data());
  cv::resize(from, to, to.size(), 0, 0, cv::INTER_LINEAR);
  return resized;
}

}  // namespace

Json Detection::to_json() const {
  Json list = Json::array();
  for (const Blob& blob : blobs)
    list.push_back({{"x", blob.x},
                    {"y", blob.y},
                    {"width", blob.width},
                    {"height", blob.height},
                    {"area_px", blob.area_px},
                    {"is_defect", blob.is_defect}});
  if (!raw.found) return {{"found", false}, {"correlation", raw.correlation}};
  return {{"found", true},
          {"score", raw.score},
          {"anomalous", anomalous},
          {"correlation", raw.correlation},
          {"rect",
           {{"x", raw.rect.x}, {"y", raw.rect.y}, {"width", raw.rect.width}, {"height", raw.rect.height}}},
          {"mean_scaled", mean_scaled},
          {"defective", defective},
          {"blobs", list}};
}

AnomalyDetector::AnomalyDetector(const std::string& model_folder, const DetectorOptions& options)
    : model_(load_anomaly_model(model_folder)),
      range_(MapRange::from_norm_stats(model_folder + "/norm_stats.txt")),
      engine_(options.engine) {
  const std::string xml = model_folder + "/" + model_.config.pattern_name + ".xml";
  if (engine_ == "auto") engine_ = std::filesystem::exists(xml) ? "openvino" : "libtorch";
  if (engine_ == "openvino") {
    require_exported_files(model_folder, model_.config.pattern_name);
    const InspectorOptions inspector{
        .precision = options.precision, .threads = options.threads, .pin_threads = options.pin_threads};
    auto scorer = std::make_shared<const OpenVinoScorer>(model_.config, model_.region, xml, inspector);
    score_ = [scorer](const Image& image) { return scorer->score(image); };
  } else {
    auto scorer = std::make_shared<const AnomalyScorer>(
        model_, open_anomaly_backbone(backbone_in_folder(model_.config, model_folder), options.device),
        options.use_faiss ? "faiss" : "exact");
    score_ = [scorer](const Image& image) { return scorer->score(image); };
    features_ = [scorer](const Image& image) { return scorer->features(image); };
  }
}

at::Tensor AnomalyDetector::features(const Image& image) const {
  if (!features_)
    throw Error(fmt::format(
        "AnomalyDetector:features: engine '{}' keeps them to itself; expected a model opened with 'libtorch'",
        engine_));
  return features_(image);
}

Detection AnomalyDetector::detect(const Image& image, const BlobOptions& blobs) const {
  Detection detection;
  detection.raw = score_(image);
  if (!detection.raw.found) return detection;
  detection.anomalous = detection.raw.score >= model_.thresholds.image;
  const at::Tensor map = plain_map(detection.raw.map);
  detection.scaled =
      scaled_map(map.const_data_ptr<float>(), static_cast<int>(map.size(1)), static_cast<int>(map.size(0)),
                 range_, detection.raw.rect.width, detection.raw.rect.height);
  detection.mean_scaled = mean_of_map(detection.scaled);
  detection.blobs = blobs_of(detection.scaled, {.pass_threshold = blobs.pass_threshold,
                                                .min_area_px = blobs.min_area_px,
                                                .min_width_px = blobs.min_width_px,
                                                .min_height_px = blobs.min_height_px});
  for (const Blob& blob : detection.blobs) detection.defective |= blob.is_defect;
  return detection;
}

Image AnomalyDetector::picture(const Image& image, const Detection& detection) const {
  return detection_picture(image, detection, model_.thresholds.pixel, range_);
}

Image detection_mask(const Detection& detection, double pixel_threshold) {
  const AnomalyMap map = map_in_pixels(detection);
  Image mask(map.width, map.height);
  for (std::size_t i = 0; i < map.values.size(); ++i)
    for (std::size_t c = 0; c < 3; ++c) mask.rgb[3 * i + c] = map.values[i] >= pixel_threshold ? 255 : 0;
  return mask;
}

Image detection_picture(const Image& image, const Detection& detection, double pixel_threshold,
                        const MapRange& range) {
  const AnomalyMap map = map_in_pixels(detection);
  HeatMapOptions options;
  options.low = range.low;
  options.high = range.high;
  Image picture =
      draw_heat_map(cropped(image, detection.raw.rect), map.values, map.height, map.width, options);
  const cv::Mat values(map.height, map.width, CV_32F, const_cast<float*>(map.values.data()));
  std::vector<std::vector<cv::Point>> contours;
  cv::findContours(cv::Mat(values >= pixel_threshold), contours, cv::RETR_LIST, cv::CHAIN_APPROX_NONE);
  for (const std::vector<cv::Point>& contour : contours) {
    std::vector<Point2> corners;
    for (const cv::Point& point : contour) corners.push_back({point.x + 0.5, point.y + 0.5});
    draw_polygon(picture, corners, {}, 1);
  }
  return picture;
}

at::Tensor mask_beside_map(const Image& mask, const Detection& detection) {
  const at::Tensor& map = detection.raw.map;
  const PixelRect& rect = detection.raw.rect;
  if (rect.x + rect.width > mask.width || rect.y + rect.height > mask.height)
    throw Error(fmt::format("mask of {} x {} px: smaller than its picture", mask.width, mask.height));
  at::Tensor result = at::empty({map.size(0), map.size(1)}, at::kByte);
  auto* to = result.mutable_data_ptr<std::uint8_t>();
  for (std::int64_t y = 0; y < map.size(0); ++y)
    for (std::int64_t x = 0; x < map.size(1); ++x)
      *to++ = *mask.pixel(rect.x + static_cast<int>(x * rect.width / map.size(1)),
                          rect.y + static_cast<int>(y * rect.height / map.size(0))) > 0;
  return result;
}

}  // namespace imatch
