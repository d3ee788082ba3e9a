// SPDX-License-Identifier: Apache-2.0
#include "evaluation/position_tree.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

namespace imatch {
namespace {

PointTree::Point unit_vector(LatLon position) {
  require_position(position);
  const double latitude = position.latitude_deg * kRadiansPerDegree,
               longitude = position.longitude_deg * kRadiansPerDegree;
  return {std::cos(latitude) * std::cos(longitude), std::cos(latitude) * std::sin(longitude),
          std::sin(latitude)};
}

std::vector<PointTree::Point> unit_vectors(std::span<const LatLon> positions) {
  std::vector<PointTree::Point> points;
  points.reserve(positions.size());
  for (const LatLon& position : positions) points.push_back(unit_vector(position));
  return points;
}

}  // namespace

PositionTree::PositionTree(std::span<const LatLon> positions) : tree_(unit_vectors(positions)) {}

std::int64_t PositionTree::nearest(LatLon position) const {
  return tree_.nearest(unit_vector(position));
}

std::int64_t PositionTree::count_within(LatLon position, double radius_m) const {
  const double half = std::min(radius_m / kEarthRadius_m / 2, std::numbers::pi / 2);
  const double chord = 2 * std::sin(half);
  return tree_.count_within(unit_vector(position), chord * chord);
}

}  // namespace imatch
