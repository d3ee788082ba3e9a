// SPDX-License-Identifier: Apache-2.0
#pragma once

// Inspects pictures with an exported PatchCore model. Needs OpenVINO and OpenCV at link time; this header
// needs the standard library alone.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace imatch {

struct InspectorOptions {
  std::string device = "CPU";  ///< As OpenVINO names them.
  /// "f32", "f16", "bf16", or "default": what the device prefers, on some processors bfloat16. Files that
  /// imatch-lua exported ask for f32 themselves; with others' bfloat16 makes distances err by up to 2.
  std::string precision = "f32";
  int threads = 0;  ///< 0: OpenVINO decides.
  bool pin_threads =
      false;  ///< To processors; several processes that pin to the same ones slow each other down.
};

/// Row-major values.
struct AnomalyMap {
  int width = 0;
  int height = 0;
  std::vector<float> values;
};

struct Inspection {
  float score = 0;          ///< A distance: larger is more anomalous.
  AnomalyMap map;           ///< Likewise for each pixel of the network's input.
  double inference_ms = 0;  ///< What the graph took, without what is done before and behind it.
};

/// What of a map is 0 and what is 100.
struct MapRange {
  double low = 17;
  double high = 50;
  /// From norm_stats.txt: 10 below its mean_pixel, 20 above its max_pixel; the defaults where the file or a
  /// number above 0 is missing.
  static MapRange from_norm_stats(const std::string& path);
};

/// From which values on a picture and a pixel of its map are anomalous: value >= threshold.
struct AnomalyThresholds {
  double image = 0;
  double pixel = 0;
  /// From thresholds.json. Throws std::runtime_error where the file or one of the numbers is missing.
  static AnomalyThresholds from_json(const std::string& path);
};

/// The label of a picture.
inline bool is_anomalous(const Inspection& inspection, const AnomalyThresholds& thresholds) {
  return inspection.score >= thresholds.image;
}

/// The map resized (bilinear) to a size, 0 at range.low, 100 at range.high, cut off there.
AnomalyMap scaled_map(const AnomalyMap& map, const MapRange& range, int width, int height);
/// The same of values that lie elsewhere, row by row.
AnomalyMap scaled_map(const float* values, int map_width, int map_height, const MapRange& range, int width,
                      int height);

/// The mean of a map: what the inspection program reports as the score of a picture.
double mean_of_map(const AnomalyMap& map);

/// Which blobs of a 0 ... 100 map are defects: those with min_area_px or more, and those that are both
/// min_width_px wide and min_height_px high.
struct BlobRule {
  double pass_threshold = 50;  ///< A pixel above it belongs to a blob.
  double min_area_px = 0;      ///< Of the contour.
  int min_width_px = 0;
  int min_height_px = 0;
};

struct Blob {
  int x = 0, y = 0, width = 0, height = 0;  ///< Bounding box.
  double area_px = 0;
  bool is_defect = false;
};

/// Outer contours of scaled_map(...) > pass_threshold.
std::vector<Blob> blobs_of(const AnomalyMap& scaled, const BlobRule& rule);

/// A model on a device. Throws std::runtime_error where a file is missing, damaged or of another form. Calls
/// may come from several threads; they wait for each other.
class Inspector {
 public:
  /// `xml_path`: the graph in the 'raw' layout or with preprocessing inside, its .bin beside it.
  explicit Inspector(const std::string& xml_path, const InspectorOptions& options = {});
  ~Inspector();
  Inspector(Inspector&&) noexcept;
  Inspector& operator=(Inspector&&) noexcept;

  /// Size of the network's input, px; 0 where the graph itself resizes.
  int input_width() const;
  int input_height() const;

  /// A picture of any size, 8 bits, three channels a pixel, rows `stride` bytes apart. It is resized as in
  /// training (bilinear, antialiased).
  Inspection inspect_bgr(const std::uint8_t* pixels, int width, int height, std::size_t stride) const;
  Inspection inspect_rgb(const std::uint8_t* pixels, int width, int height, std::size_t stride) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace imatch
