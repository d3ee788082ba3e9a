// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "evaluation/ground_truth.h"
#include "evaluation/point_tree.h"

namespace imatch {

/// What a search found for a query by one measure of distance: on the sphere, or in the plane of a label
/// index. Distances in m; NaN where there is none.
struct NearestReference {
  std::int64_t reference = -1;  ///< The nearest to the truth of all.
  double reference_m = std::numeric_limits<double>::quiet_NaN();
  std::int64_t rank = 0;  ///< Of this very reference among those found, from 1; 0: not among them.
  double top1_m = std::numeric_limits<double>::quiet_NaN();   ///< Of the first found.
  double least_m = std::numeric_limits<double>::quiet_NaN();  ///< Of all found.
};

/// The place of `reference` among those found, from 1; 0: not among them.
std::int64_t rank_of(std::int64_t reference, std::span<const std::int64_t> found);

/// References in the plane; those without x and y take no part.
class PlaneReferences {
 public:
  explicit PlaneReferences(const std::vector<std::optional<PlanePosition>>& references);
  NearestReference nearest(PlanePosition truth, std::span<const std::int64_t> found) const;

 private:
  const std::vector<std::optional<PlanePosition>>& references_;
  std::vector<std::int64_t> numbers_;  ///< Of the points of the tree.
  PointTree tree_;
};

}  // namespace imatch
