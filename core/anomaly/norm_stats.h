// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace imatch {

/// What the scores of normal images look like: norm_stats.txt, from which the inspection program scales its
/// maps to 0 ... 100.
struct NormStats {
  double max_score = 0;
  double mean_score = 0;
  double std_score = 0;   ///< Dividing by n.
  double max_pixel = 0;   ///< Largest value of all maps.
  double mean_pixel = 0;  ///< Mean over images of the mean of their map.
  long num_samples = 0;

  /// Lines "key=value" with six decimals, num_samples as an integer.
  std::string text() const;
  /// Throws Failure (bad_format; `name` begins the message) for a key that is missing or no number.
  static NormStats parse(std::string_view text, const std::string& name);
};

/// Takes the statistics image by image.
class NormStatsSum {
 public:
  void add(double score, double max_of_map, double mean_of_map);
  NormStats stats() const;

 private:
  std::vector<double> scores_;
  double max_pixel_ = 0;
  double sum_of_means_ = 0;
};

}  // namespace imatch
