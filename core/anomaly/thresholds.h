// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/field.h"
#include "base/options.h"

namespace imatch {

struct ThresholdOptions {
  std::string rule = "auto";
  double quantile = 0.995;
  double false_alarm_rate = 0.01;
  double image = 0;
  double pixel = 0;

  static constexpr std::string_view kRules[] = {"auto", "f1", "quantile", "extreme_value", "fixed"};
  using Self = ThresholdOptions;
  static constexpr auto fields = std::tuple{
      field("rule", &Self::rule, one_of(kRules),
            "'f1': the largest F1 over normal and anomalous images, half way between two of their scores. "
            "'quantile': that of the scores of normal "
            "images. "
            "'extreme_value': the score that a normal image reaches with the probability `false_alarm_rate`, "
            "by "
            "a Gumbel "
            "distribution. 'fixed': `image` and `pixel`. 'auto': 'f1' where there are anomalous images, else "
            "'quantile'."),
      field("quantile", &Self::quantile, in_range(0, 1),
            "For 'quantile', linearly interpolated; the threshold lies two thousandths above."),
      field("false_alarm_rate", &Self::false_alarm_rate, in_range(1e-9, 0.5), "For 'extreme_value'."),
      field("image", &Self::image, anything(), "For 'fixed': of the score."),
      field("pixel", &Self::pixel, anything(), "For 'fixed': of the map.")};
};

/// From which scores on an image, and a pixel of its map, is anomalous: score >= threshold. They stand beside
/// the model, never in its graph: scores stay raw.
struct Thresholds {
  double image = 0;
  double pixel = 0;
  std::string rule;        ///< One of ThresholdOptions::kRules but 'auto'.
  std::string taken_from;  ///< "held-out normal images", "training images", "test images", "options".
  long num_images = 0;     ///< How many these were.

  Json to_json() const;
  /// Throws Failure (bad_format; `name` begins the message) for a table that to_json does not make.
  static Thresholds from_json(const Json& table, const std::string& name);
};

/// Scores of images from which thresholds are taken. Of a map its largest value stands for all, since an
/// image is called normal when none of its pixels is called anomalous.
struct ScoredImages {
  std::vector<float> scores;
  std::vector<float> map_maxima;
  std::vector<std::uint8_t> anomalous;
  std::string taken_from;
};

/// Throws Error for 'f1' without anomalous images and for every rule but 'fixed' without normal ones.
Thresholds choose_thresholds(const ScoredImages& images, const ThresholdOptions& options);

/// The value that is exceeded with probability `rate`, by a Gumbel distribution fitted to `values` (>= 2) by
/// L-moments (J. Hosking, "L-moments: analysis and estimation of distributions using linear combinations of
/// order statistics", 1990): scale l2 / ln 2, location l1 - 0.5772 scale. Largest distances of many patches
/// tend to that form.
double gumbel_threshold(std::vector<float> values, double rate);

}  // namespace imatch
