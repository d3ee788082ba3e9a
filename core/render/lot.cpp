// SPDX-License-Identifier: Apache-2.0
#include "render/lot.h"

#include <algorithm>
#include <cmath>

#include "render/plane_vector.h"

namespace imatch {

Lot cut(const Lot& lot, Point2 normal, double offset, int side, Border border) {
  const double sign = side ? 1 : -1;
  Lot part;
  const std::size_t n = lot.corner.size();
  for (std::size_t i = 0; i < n; ++i) {
    const Point2 a = lot.corner[i];
    const Point2 b = lot.corner[(i + 1) % n];
    const double da = sign * (dot(normal, a) - offset);
    const double db = sign * (dot(normal, b) - offset);
    if (da >= 0) {
      part.corner.push_back(a);
      part.border.push_back(lot.border[i]);
    }
    if ((da >= 0) != (db >= 0)) {
      part.corner.push_back(plus(a, plus(b, a, -1), da / (da - db)));
      part.border.push_back(da >= 0 ? border : lot.border[i]);
    }
  }
  return part;
}

double Lot::area() const {
  double twice = 0;
  for (std::size_t i = 0; i < corner.size(); ++i) {
    const Point2 a = corner[i];
    const Point2 b = corner[(i + 1) % corner.size()];
    twice += a.x * b.y - a.y * b.x;
  }
  return std::abs(twice) / 2;
}

Point2 Lot::centre() const {
  Point2 sum;
  for (const Point2 p : corner) sum = plus(sum, p);
  return {sum.x / static_cast<double>(corner.size()), sum.y / static_cast<double>(corner.size())};
}

Point2 Lot::longest_side() const {
  Point2 longest{1, 0};
  double best = 0;
  for (std::size_t i = 0; i < corner.size(); ++i) {
    const Point2 side = plus(corner[(i + 1) % corner.size()], corner[i], -1);
    if (const double l = length(side); l > best) best = l, longest = unit(side);
  }
  return longest;
}

double Lot::inset(Point2 p) const {
  double least = 1e300;
  for (std::size_t i = 0; i < corner.size(); ++i) {  // corners run anticlockwise, so inside is on the left
    const Point2 inward = across(unit(plus(corner[(i + 1) % corner.size()], corner[i], -1)));
    least = std::min(least, dot(inward, plus(p, corner[i], -1)));
  }
  return least;
}

}  // namespace imatch
