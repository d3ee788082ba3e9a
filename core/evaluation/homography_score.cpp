// SPDX-License-Identifier: Apache-2.0
#include "evaluation/homography_score.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/error.h"
#include "evaluation/statistics.h"

namespace imatch {
namespace {

double distance(Point2 p, Point2 q) {
  return std::hypot(p.x - q.x, p.y - q.y);
}

std::array<Point2, 4> corners(int width, int height) {
  const double w = width, h = height;
  return {Point2{0, 0}, Point2{w, 0}, Point2{w, h}, Point2{0, h}};
}

/// Scaled so that the points of image a have depth > 0. All four corners have the same sign exactly when all
/// of a does.
Homography checked_truth(Homography truth, const Matches& matches) {
  for (const double value : truth.m)
    if (!std::isfinite(value))
      throw Error(fmt::format("truth: has the element {}; expected nine finite numbers", value));
  const auto points = corners(matches.width_a, matches.height_a);
  if (truth.depth(points[0]) < 0)
    for (double& value : truth.m) value = -value;
  for (const Point2& p : points)
    if (!(truth.depth(p) > 0))
      throw Error(
          fmt::format("truth: corner ({}, {}) of image a lies beyond the horizon of image b", p.x, p.y));
  return truth;
}

double corner_error(const Homography& found, const Homography& truth, const Matches& matches) {
  const double diagonal = std::hypot(matches.width_b, matches.height_b);
  double sum = 0;
  for (const Point2& p : corners(matches.width_a, matches.height_a)) {
    if (!(found.depth(p) > 0)) return diagonal;
    sum += distance(found(p), truth(p));
  }
  return std::min(sum / 4, diagonal);
}

int possible_tokens(const Matches& matches, const Homography& truth) {
  int count = 0;
  for (int r = 0; r < matches.rows_a; ++r)
    for (int c = 0; c < matches.cols_a; ++c) {
      const Point2 p = truth(matches.original_from_grid_a({c + 0.5, r + 0.5}));
      count += p.x >= 0 && p.y >= 0 && p.x <= matches.width_b && p.y <= matches.height_b;
    }
  return count;
}

}  // namespace

HomographyScore score(const Matches& matches, const Geometry& geometry, const Homography& b_from_a,
                      const EvaluationOptions& options) {
  if (geometry.inliers.size() != matches.size())
    throw Error(fmt::format("geometry: it is of {} matches, not of these {}", geometry.inliers.size(),
                            matches.size()));
  const Homography truth = checked_truth(b_from_a, matches);
  std::vector<double> errors;
  for (std::size_t k = 0; k < matches.size(); ++k)
    errors.push_back(distance(truth(matches.points_a[k]), matches.points_b[k]));
  const auto within = [&](double px) {
    return static_cast<int>(std::count_if(errors.begin(), errors.end(), [&](double e) { return e <= px; }));
  };
  const auto share = [&](int count) {
    return errors.empty() ? 0 : count / static_cast<double>(errors.size());
  };

  HomographyScore result;
  result.num_matches = static_cast<int>(matches.size());
  result.num_inliers = geometry.num_inliers;
  result.inlier_ratio = share(result.num_inliers);
  result.num_correct = within(options.cell_px.value_or(matches.cell_b_px));
  result.precision = share(result.num_correct);
  result.mma_px = options.mma_px;
  for (const double px : options.mma_px) result.mma.push_back(share(within(px)));
  result.num_possible = possible_tokens(matches, truth);
  result.has_model = geometry.b_from_a.has_value();
  result.corner_error_px = result.has_model ? corner_error(*geometry.b_from_a, truth, matches)
                                            : std::hypot(matches.width_b, matches.height_b);
  return result;
}

std::vector<double> error_auc(std::span<const double> errors, std::span<const double> thresholds) {
  std::vector<double> sorted(errors.begin(), errors.end());
  for (const double e : sorted)
    if (!(e >= 0)) throw Error(fmt::format("errors: {} is not allowed; expected numbers >= 0", e));
  std::sort(sorted.begin(), sorted.end());
  std::vector<double> areas;
  for (const double threshold : thresholds) {
    if (!(threshold > 0))
      throw Error(fmt::format("thresholds: {} is not allowed; expected numbers > 0", threshold));
    areas.push_back(area_under_curve(sorted, threshold));
  }
  return areas;
}

Json to_json(const HomographyScore& s) {
  Json table{{"num_matches", s.num_matches},
             {"num_inliers", s.num_inliers},
             {"inlier_ratio", s.inlier_ratio},
             {"num_correct", s.num_correct},
             {"precision", s.precision},
             {"num_possible", s.num_possible},
             {"corner_error_px", s.corner_error_px},
             {"has_model", s.has_model}};
  for (std::size_t k = 0; k < s.mma.size(); ++k) table[fmt::format("mma_{}px", s.mma_px[k])] = s.mma[k];
  return table;
}

}  // namespace imatch
