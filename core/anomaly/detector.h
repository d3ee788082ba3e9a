// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "anomaly/scorer.h"
#include "base/field.h"
#include "base/options.h"
#include "inspection/anomaly.h"

namespace imatch {

struct DetectorOptions {
  std::string engine = "auto";
  std::string device = "auto";
  std::string precision = "f32";
  int threads = 0;
  bool pin_threads = false;
  bool use_faiss = false;

  static constexpr std::string_view kEngines[] = {"auto", "openvino", "libtorch"};
  static constexpr std::string_view kPrecisions[] = {"f32", "f16", "bf16", "default"};
  using Self = DetectorOptions;
  static constexpr auto fields = std::tuple{
      field(
          "engine", &Self::engine, one_of(kEngines),
          "What runs the model: 'openvino' (its exported files, on the CPU), 'libtorch' (its checkpoint, on "
          "`device`), or "
          "'auto': the files where they are."),
      field("device", &Self::device, anything(), "For 'libtorch': 'cpu', 'cuda', 'cuda:N' or 'auto'."),
      field(
          "precision", &Self::precision, one_of(kPrecisions),
          "For 'openvino'; 'default' is what the processor prefers. Exported files ask for f32 in any case."),
      field("threads", &Self::threads, in_range(0, 4096), "For 'openvino'; 0: as it decides."),
      field("pin_threads", &Self::pin_threads, anything(),
            "For 'openvino': bind them to processors. Several processes that do so slow each other down."),
      field("use_faiss", &Self::use_faiss, anything(), "For 'libtorch': search the memory bank by FAISS.")};
};

struct BlobOptions {
  double pass_threshold = 50;
  double min_area_px = 0;
  int min_width_px = 0;
  int min_height_px = 0;
  using Self = BlobOptions;
  static constexpr auto fields = std::tuple{
      field("pass_threshold", &Self::pass_threshold, in_range(0, 100),
            "Pixels of the 0 ... 100 map above it make blobs."),
      field("min_area_px", &Self::min_area_px, at_least(0), "A blob of this area or more is a defect."),
      field("min_width_px", &Self::min_width_px, in_range(0, 65536),
            "So is one of this width and `min_height_px` or more."),
      field("min_height_px", &Self::min_height_px, in_range(0, 65536), "See `min_width_px`.")};
};

/// What a model says of a picture.
struct Detection {
  ImageScore raw;
  bool anomalous = false;  ///< raw.score >= the model's threshold.
  AnomalyMap scaled;       ///< 0 ... 100 over what of the picture was inspected, in its pixels.
  double mean_scaled = 0;  ///< What the inspection program reports as score.
  std::vector<Blob> blobs;
  bool defective = false;  ///< One of them is a defect.

  /// {found, score, anomalous, correlation, rect = {x, y, width, height}, mean_scaled, defective, blobs}.
  Json to_json() const;
};

/// A trained model in its folder, ready for pictures.
class AnomalyDetector {
 public:
  /// Throws Failure as load_anomaly_model and require_exported_files.
  AnomalyDetector(const std::string& model_folder, const DetectorOptions& options = {});

  Detection detect(const Image& image, const BlobOptions& blobs = {}) const;

  /// AnomalyScorer::features. Throws Error unless LibTorch runs the model.
  at::Tensor features(const Image& image) const;

  /// detection_picture with the model's pixel threshold and range.
  Image picture(const Image& image, const Detection& detection) const;

  const AnomalyModel& model() const { return model_; }
  const std::string& engine() const { return engine_; }

 private:
  AnomalyModel model_;
  MapRange range_;
  std::string engine_;
  std::function<ImageScore(const Image&)> score_;
  std::function<at::Tensor(const Image&)> features_;
};

/// The inspected part of a picture under the colours of its map, blue at `range.low`, red at `range.high`
/// (the same colours for the same distances in every picture), with the contour of the pixel threshold in
/// white.
Image detection_picture(const Image& image, const Detection& detection, double pixel_threshold,
                        const MapRange& range);
/// The mask of a whole picture as [h, w] uint8 beside the detection's map: the inspected part, nearest
/// neighbour.
at::Tensor mask_beside_map(const Image& mask, const Detection& detection);
/// White where the map is at or above the pixel threshold, of the inspected part's size.
Image detection_mask(const Detection& detection, double pixel_threshold);

}  // namespace imatch
