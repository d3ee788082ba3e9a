// SPDX-License-Identifier: Apache-2.0
#include "match/rotation_search.h"

#include <numeric>
#include <tuple>

#include "base/error.h"
#include "base/stop.h"

namespace imatch {

RotationSearch search_rotations(const Features& a, std::span<const std::shared_ptr<const Features>> b,
                                const RotationSearchOptions& options) {
  if (b.empty()) throw Error("rotation_search: expected the features of at least one rotation");
  RotationSearch search;
  search.summary.score = options.score;
  const auto rank = [&](const RotationScore& score) {
    return std::tuple(options.score == "inliers" ? score.num_inliers : score.num_matches,
                      score.mean_similarity);
  };
  for (std::size_t k = 0; k < b.size(); ++k) {
    check_stop();
    Matches matches = mutual_nearest(a, *b[k], options.match);
    GeometryOptions how;
    how.model = options.model;
    // Points of token grids lie on a lattice, from which usac_magsac finds next to nothing at a cell's width.
    how.method = "cv2_ransac";
    how.reproj_px = options.reproj_cells * matches.cell_b_px;
    Geometry geometry = estimate(matches, how);
    RotationScore score{.rotation_deg = b[k]->rotation_deg,
                        .num_matches = static_cast<int>(matches.size()),
                        .num_inliers = geometry.num_inliers};
    if (matches.size() > 0)
      score.mean_similarity = std::accumulate(matches.similarity.begin(), matches.similarity.end(), 0.0) /
                              static_cast<double>(matches.size());
    search.summary.scores.push_back(score);
    if (k > 0 && rank(score) <= rank(search.summary.scores[search.best])) continue;
    search.best = k;
    search.matches = std::move(matches);
    search.geometry = std::move(geometry);
  }
  search.summary.rotation_deg = search.summary.scores[search.best].rotation_deg;
  return search;
}

}  // namespace imatch
