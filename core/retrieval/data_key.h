// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/options.h"

namespace imatch {

/// One folder of pictures of a data set.
struct Capture {
  std::string id;
  std::string label;  ///< What outputs are filed under; the id where the key gives an altitude only.
  std::optional<double>
      altitude_m;  ///< Given, or the second field of a name <id>_<altitude>_<overlap>_<n>_<heading>.
  std::optional<double> heading_deg;  ///< The fifth field of such a name.
};

/// A path with fields: {capture_id}, {label}, {frame}, {frame:04d}.
class NameTemplate {
 public:
  NameTemplate() = default;
  /// Throws Error naming a field that is not known, or a brace that does not close.
  explicit NameTemplate(std::string_view text);

  std::string fill(const Capture& capture, std::int64_t frame) const;
  /// The frame as it is written in names: "7" or "0007".
  std::string frame_text(std::int64_t frame) const;

 private:
  struct Part {
    enum class Kind { kText, kCaptureId, kLabel, kFrame } kind;
    std::string text;
    int digits = 0;
  };
  std::vector<Part> parts_;
};

struct Dataset {
  std::string key;
  std::string root;
  NameTemplate folder;
  NameTemplate file;
  std::vector<Capture> captures;
  /// What is known of the truth of this data set, for evaluations.
  std::optional<double> gt_sigma_m;       ///< Standard deviation of the true positions.
  std::optional<std::string> alt_ref;     ///< "agl", "amsl" or "takeoff".
  std::optional<std::string> yaw_source;  ///< Such as "gimbal", "flight", "track".

  const Capture* find(std::string_view capture_id) const;
};

/// One weights file by its alias.
struct WeightEntry {
  std::string alias;
  std::string folder;
  std::string hub;  ///< "dinov3_vits16".
  std::string file;
  std::string normalization;  ///< "LVD" or "SAT".
};

/// data_key.json: which data sets and weights there are.
struct DataKey {
  std::string path;
  std::vector<Dataset> datasets;
  std::vector<std::pair<std::string, std::vector<WeightEntry>>> weight_sets;

  /// Throw Failure (bad_format) naming the file, the key and what there is.
  const Dataset& dataset(const std::string& key) const;
  const WeightEntry& weight(const std::string& set, const std::string& alias) const;
};

/// Throws Failure: not_found, not_a_file, unreadable; bad_format naming the file and the key.
DataKey read_data_key(const std::string& path);

}  // namespace imatch
