// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "anomaly/scorer.h"
#include "inspection/anomaly.h"

namespace imatch {

/// A model by its exported files: the same pictures, regions and tiles as AnomalyScorer, the network by
/// OpenVINO.
class OpenVinoScorer {
 public:
  /// Throws Failure (bad_format) for files that cannot be loaded.
  OpenVinoScorer(const AnomalyModelConfig& config, std::optional<InspectedRegion> region,
                 const std::string& xml_path, const InspectorOptions& options);
  OpenVinoScorer(const AnomalyScorer& trained, const std::string& xml_path, const InspectorOptions& options)
      : OpenVinoScorer(trained.config(), trained.region(), xml_path, options) {}

  ImageScore score(const Image& image) const;

 private:
  AnomalyModelConfig config_;
  std::optional<InspectedRegion> region_;
  std::unique_ptr<const Inspector> inspector_;
};

}  // namespace imatch
