// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "base/options.h"
#include "geometry/planar.h"
#include "match/geometry.h"
#include "match/matches.h"

namespace imatch {

struct EvaluationOptions {
  std::optional<double> cell_px = {};  ///< Unset: the side of a grid cell of b.
  std::vector<double> mma_px{1, 3, 5, 10};
  static constexpr auto fields = std::tuple{
      field("cell_px", &EvaluationOptions::cell_px, in_range(0, 1e6),
            "Error in pixels of b up to which a match counts as right; unset: the side of a grid cell of b."),
      field("mma_px", &EvaluationOptions::mma_px, in_range(0, 1e6),
            "Errors in pixels of b for which mma gives the share of matches within.")};
};

/// How matches and the homography found from them compare with a known one.
struct HomographyScore {
  int num_matches = 0;
  int num_inliers = 0;
  double inlier_ratio = 0;     ///< num_inliers / num_matches; 0 without matches.
  int num_correct = 0;         ///< Matches within cell_px of the truth.
  double precision = 0;        ///< num_correct / num_matches; 0 without matches.
  std::vector<double> mma_px;  ///< As asked.
  std::vector<double> mma;     ///< Share of matches whose error is at most mma_px[i]; 0 without matches.
  int num_possible = 0;        ///< Tokens of a, of the whole grid, whose true position lies in image b.
  /// Mean distance of the four corners of image a under the found and the true homography, in pixels of b. At
  /// most the diagonal of b, which also stands where no model was found: means over many pairs stay finite,
  /// and a failure is never better than a bad model.
  double corner_error_px = 0;
  bool has_model = false;
};

/// Compares with the true `b_from_a`. A match's error is the distance in b between the true position of its
/// point in a and its point in b. Throws Error when the truth is not finite or puts a corner of a beyond the
/// horizon.
HomographyScore score(const Matches& matches, const Geometry& geometry, const Homography& b_from_a,
                      const EvaluationOptions& options = {});

/// area_under_curve (statistics.h) of errors in any order up to each threshold. Throws Error for a negative
/// or NaN error and a threshold <= 0.
std::vector<double> error_auc(std::span<const double> errors, std::span<const double> thresholds);

/// Flat, for reports: num_matches, num_inliers, inlier_ratio, num_correct, precision, num_possible,
/// corner_error_px, has_model, mma_<t>px.
Json to_json(const HomographyScore& score);

}  // namespace imatch
