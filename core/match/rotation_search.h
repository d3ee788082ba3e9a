// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "match/geometry.h"
#include "match/nearest.h"

namespace imatch {

inline constexpr std::string_view kRotationScores[] = {"inliers", "matches"};

struct RotationSearchOptions {
  std::string score = "inliers";
  std::string model = "homography";
  double reproj_cells = 0.75;
  MutualNearestOptions match;
  using Self = RotationSearchOptions;
  static constexpr auto fields =
      std::tuple{field("score", &Self::score, one_of(kRotationScores),
                       "What the best rotation has most of: 'inliers' of a robust geometry, or 'matches'."),
                 field("model", &Self::model, one_of(kGeometryModels), "Geometry that inliers agree with."),
                 field("reproj_cells", &Self::reproj_cells, in_range(1e-6, 1e6),
                       "Largest reprojection error of an inlier, in cells of b's grid."),
                 field("match", &Self::match, anything(), "Options of match.mutual_nearest.")};
};

/// How well one rotation matches.
struct RotationScore {
  double rotation_deg = 0;
  int num_matches = 0;
  int num_inliers = 0;         ///< Of the geometry asked for.
  double mean_similarity = 0;  ///< Over the matches; 0 without any.
  static constexpr auto fields = std::tuple{
      field("rotation_deg", &RotationScore::rotation_deg, anything(), "By which b was rotated, clockwise."),
      field("num_matches", &RotationScore::num_matches, at_least(0), "Matches."),
      field("num_inliers", &RotationScore::num_inliers, at_least(0), "Of them agree with the geometry."),
      field("mean_similarity", &RotationScore::mean_similarity, anything(), "Over the matches.")};
};

/// What trying several rotations gave.
struct RotationSummary {
  double rotation_deg = 0;
  std::string score;
  std::vector<RotationScore> scores;
  using Self = RotationSummary;
  static constexpr auto fields =
      std::tuple{field("rotation_deg", &Self::rotation_deg, anything(), "The best, by which b was rotated."),
                 field("score", &Self::score, anything(), "What the best has most of."),
                 field("scores", &Self::scores, anything(), "Of every rotation tried, in their order.")};
};

struct RotationSearch {
  std::size_t best = 0;  ///< Position of the best rotation.
  Matches matches;       ///< Of the best; points_b are in the image as it was, idx_b in the rotated grid.
  Geometry geometry;     ///< Of the best.
  RotationSummary summary;
};

/// Matches a with each of the features of b, which differ in the rotation of b before
/// (backbone/rotations.h), and keeps the one of the highest score; of equal ones that of the higher mean
/// similarity, then the first. Throws Error for an empty list, and as mutual_nearest.
RotationSearch search_rotations(const Features& a, std::span<const std::shared_ptr<const Features>> b,
                                const RotationSearchOptions& options = {});

}  // namespace imatch
