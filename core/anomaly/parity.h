// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "anomaly/scorer.h"
#include "anomaly/training_data.h"
#include "base/options.h"

namespace imatch {

/// What the exported files must keep of the trained model.
struct ParityLimits {
  double relative_score = 1e-3;  ///< Largest difference of a score, as a share of it.
  double auroc = 1e-3;           ///< Largest change of the image AUROC, where there are anomalous pictures.
};

struct Parity {
  bool holds = false;
  std::string problem;  ///< Where the two part, with the picture and both scores; "" when it holds.
  Json report;          ///< parity.json.
};

/// Runs pictures through LibTorch and through the files at `xml_path`, read again by OpenVINO with float32
/// and with the device's own settings: up to `least` of `samples` evenly spread, one of them enlarged beyond
/// the network's input and one with a level added to every other pixel. No label may flip and the AUROC must
/// stay in both; the limit of the score holds in float32. Throws Failure (no_result) when none of the
/// pictures can be read.
Parity check_parity(const AnomalyScorer& scorer, const Thresholds& thresholds, const std::string& xml_path,
                    const std::vector<AnomalySample>& samples, std::size_t least = 32,
                    const ParityLimits& limits = {});

}  // namespace imatch
