// SPDX-License-Identifier: Apache-2.0
#include "evaluation/position_tree.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace imatch {
namespace {

constexpr double kRadians = std::numbers::pi / 180;

double square_distance(const std::array<double, 3>& a, const std::array<double, 3>& b) {
  const double x = a[0] - b[0], y = a[1] - b[1], z = a[2] - b[2];
  return x * x + y * y + z * z;
}

}  // namespace

PositionTree::Vector PositionTree::unit(LatLon position) {
  require_position(position);
  const double latitude = position.latitude_deg * kRadians, longitude = position.longitude_deg * kRadians;
  return {std::cos(latitude) * std::cos(longitude), std::cos(latitude) * std::sin(longitude),
          std::sin(latitude)};
}

PositionTree::PositionTree(std::span<const LatLon> positions) {
  nodes_.reserve(positions.size());
  for (std::size_t i = 0; i < positions.size(); ++i)
    nodes_.push_back({unit(positions[i]), static_cast<std::int64_t>(i)});
  arrange(0, static_cast<std::int64_t>(nodes_.size()), 0);
}

void PositionTree::arrange(std::int64_t begin, std::int64_t end, int axis) {
  if (end - begin < 2) return;
  const std::int64_t middle = (begin + end) / 2;
  std::nth_element(nodes_.begin() + begin, nodes_.begin() + middle, nodes_.begin() + end,
                   [axis](const Node& a, const Node& b) { return a.at[axis] < b.at[axis]; });
  arrange(begin, middle, (axis + 1) % 3);
  arrange(middle + 1, end, (axis + 1) % 3);
}

void PositionTree::find_nearest(const Vector& at, std::int64_t begin, std::int64_t end, int axis,
                                double& best, std::int64_t& found) const {
  if (begin >= end) return;
  const std::int64_t middle = (begin + end) / 2;
  const Node& node = nodes_[middle];
  const double distance = square_distance(at, node.at);
  if (distance < best || (distance == best && node.index < found)) {
    best = distance;
    found = node.index;
  }
  const double beyond = at[axis] - node.at[axis];
  const int next = (axis + 1) % 3;
  const bool is_left = beyond < 0;
  find_nearest(at, is_left ? begin : middle + 1, is_left ? middle : end, next, best, found);
  if (beyond * beyond <= best)
    find_nearest(at, is_left ? middle + 1 : begin, is_left ? end : middle, next, best, found);
}

std::int64_t PositionTree::nearest(LatLon position) const {
  double best = std::numeric_limits<double>::infinity();
  std::int64_t found = -1;
  find_nearest(unit(position), 0, static_cast<std::int64_t>(nodes_.size()), 0, best, found);
  return found;
}

std::int64_t PositionTree::count(const Vector& at, double limit, std::int64_t begin, std::int64_t end,
                                 int axis) const {
  if (begin >= end) return 0;
  const std::int64_t middle = (begin + end) / 2;
  const Node& node = nodes_[middle];
  const int next = (axis + 1) % 3;
  const double beyond = at[axis] - node.at[axis];
  std::int64_t sum = square_distance(at, node.at) <= limit ? 1 : 0;
  if (beyond <= 0 || beyond * beyond <= limit) sum += count(at, limit, begin, middle, next);
  if (beyond >= 0 || beyond * beyond <= limit) sum += count(at, limit, middle + 1, end, next);
  return sum;
}

std::int64_t PositionTree::count_within(LatLon position, double radius_m) const {
  const double half = std::min(radius_m / kEarthRadius_m / 2, std::numbers::pi / 2);
  const double chord = 2 * std::sin(half);
  return count(unit(position), chord * chord, 0, static_cast<std::int64_t>(nodes_.size()), 0);
}

}  // namespace imatch
