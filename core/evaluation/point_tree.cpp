// SPDX-License-Identifier: Apache-2.0
#include "evaluation/point_tree.h"

#include <algorithm>
#include <limits>

namespace imatch {
namespace {

double square_distance(const PointTree::Point& a, const PointTree::Point& b) {
  const double x = a[0] - b[0], y = a[1] - b[1], z = a[2] - b[2];
  return x * x + y * y + z * z;
}

}  // namespace

PointTree::PointTree(const std::vector<Point>& points) {
  nodes_.reserve(points.size());
  for (const Point& point : points) nodes_.push_back({point, static_cast<std::int64_t>(nodes_.size())});
  arrange(0, static_cast<std::int64_t>(nodes_.size()), 0);
}

void PointTree::arrange(std::int64_t begin, std::int64_t end, int axis) {
  if (end - begin < 2) return;
  const std::int64_t middle = (begin + end) / 2;
  std::nth_element(nodes_.begin() + begin, nodes_.begin() + middle, nodes_.begin() + end,
                   [axis](const Node& a, const Node& b) { return a.at[axis] < b.at[axis]; });
  arrange(begin, middle, (axis + 1) % 3);
  arrange(middle + 1, end, (axis + 1) % 3);
}

void PointTree::find_nearest(const Point& at, std::int64_t begin, std::int64_t end, int axis, double& best,
                             std::int64_t& found) const {
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

std::int64_t PointTree::nearest(const Point& at) const {
  double best = std::numeric_limits<double>::infinity();
  std::int64_t found = -1;
  find_nearest(at, 0, static_cast<std::int64_t>(nodes_.size()), 0, best, found);
  return found;
}

std::int64_t PointTree::count(const Point& at, double limit, std::int64_t begin, std::int64_t end,
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

std::int64_t PointTree::count_within(const Point& at, double square_limit) const {
  return count(at, square_limit, 0, static_cast<std::int64_t>(nodes_.size()), 0);
}

}  // namespace imatch
