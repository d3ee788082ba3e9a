// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <span>
#include <vector>

namespace imatch {

// How well a score tells the anomalous from the normal. Scores are of any scale, larger is more anomalous;
// what has equal scores is never told apart. A prediction at threshold t is "anomalous where score >= t".

/// Area under the ROC curve: the probability that an anomalous one scores higher than a normal one, ties
/// counting half. NaN unless both kinds are there.
double auroc(std::span<const float> scores, std::span<const std::uint8_t> anomalous);

/// Average precision: precision summed over the steps of recall, without interpolation. NaN without anomalous
/// ones.
double average_precision(std::span<const float> scores, std::span<const std::uint8_t> anomalous);

struct F1Threshold {
  double threshold = 0;  ///< A score that occurs.
  double below = 0;  ///< The next lower one, the same where there is none: predictions agree between the two.
  double f1 = 0;     ///< 2 P R / (P + R) there.
};

/// The threshold with the largest F1, the lowest among equals. Without anomalous ones: the largest score;
/// without normal ones: the smallest. Throws Error without scores.
F1Threshold best_f1(std::span<const float> scores, std::span<const std::uint8_t> anomalous);

/// Counts of predictions at a threshold.
struct DetectionCounts {
  std::size_t true_positives = 0, false_positives = 0, true_negatives = 0, false_negatives = 0;
  double f1() const;  ///< 0 when nothing is right.
};
DetectionCounts count_detections(std::span<const float> scores, std::span<const std::uint8_t> anomalous,
                                 double threshold);

/// auroc over the pixels of all `maps`, lists as of aupro.
double pixel_auroc(std::span<const at::Tensor> maps, std::span<const at::Tensor> masks);

/// Area under the per-region overlap curve (P. Bergmann et al., "Uninformed students", 2020): the mean share
/// of each anomalous region (8-connected in its image's mask) that is found, against the share of normal
/// pixels of all `maps` that are not; for false positive rates from 0 to `limit`, linearly interpolated at
/// it, divided by `limit`. `maps` and `masks` (other than 0: anomalous) are lists of [H, W], of the same size
/// in pairs. NaN when there is no region or no normal pixel. Throws Error for other shapes and limits outside
/// (0, 1].
double aupro(std::span<const at::Tensor> maps, std::span<const at::Tensor> masks, double limit = 0.3);

}  // namespace imatch
