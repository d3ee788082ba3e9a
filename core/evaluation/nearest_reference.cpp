// SPDX-License-Identifier: Apache-2.0
#include "evaluation/nearest_reference.h"

#include <algorithm>
#include <cmath>

namespace imatch {
namespace {

std::vector<PointTree::Point> points_of(const std::vector<std::optional<PlanePosition>>& references) {
  std::vector<PointTree::Point> points;
  for (const auto& position : references)
    if (position) points.push_back({position->x_m, position->y_m, 0});
  return points;
}

double plane_m(PlanePosition a, PlanePosition b) {
  return std::hypot(a.x_m - b.x_m, a.y_m - b.y_m);
}

}  // namespace

std::int64_t rank_of(std::int64_t reference, std::span<const std::int64_t> found) {
  if (reference < 0) return 0;
  const auto at = std::ranges::find(found, reference);
  return at == found.end() ? 0 : at - found.begin() + 1;
}

PlaneReferences::PlaneReferences(const std::vector<std::optional<PlanePosition>>& references)
    : references_(references), tree_(points_of(references)) {
  for (std::size_t i = 0; i < references.size(); ++i)
    if (references[i]) numbers_.push_back(static_cast<std::int64_t>(i));
}

NearestReference PlaneReferences::nearest(PlanePosition truth, std::span<const std::int64_t> found) const {
  NearestReference outcome;
  const std::int64_t point = tree_.nearest({truth.x_m, truth.y_m, 0});
  if (point >= 0) {
    outcome.reference = numbers_[static_cast<std::size_t>(point)];
    outcome.reference_m = plane_m(truth, *references_[static_cast<std::size_t>(outcome.reference)]);
    outcome.rank = rank_of(outcome.reference, found);
  }
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (found[i] < 0 || !references_[static_cast<std::size_t>(found[i])]) continue;
    const double metres = plane_m(truth, *references_[static_cast<std::size_t>(found[i])]);
    if (i == 0) outcome.top1_m = metres;
    if (!(outcome.least_m <= metres)) outcome.least_m = metres;
  }
  return outcome;
}

}  // namespace imatch
