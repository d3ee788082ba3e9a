// SPDX-License-Identifier: Apache-2.0
#include "render/landscape.h"

#include <algorithm>
#include <cmath>

#include "render/landscape_builder.h"
#include "render/noise.h"
#include "render/random.h"

namespace imatch {

constexpr double kBin_m = 32;

float half_width_m(Border border) {
  switch (border) {
    case Border::main_road:
      return 3.6f;
    case Border::street:
      return 2.8f;
    case Border::track:
      return 1.6f;
    case Border::hedge:
      return 1.1f;
    case Border::fence:
      return 0.5f;
    case Border::open:
      return 0.0f;
  }
  return 0;
}

Landscape::Landscape(std::uint64_t seed, double size_m) : seed_(seed), size_m_(size_m) {
  LandscapeBuilder(*this).build();
  file_into_bins();
}

Point2 Landscape::flattened(Point2 p) const {
  const auto bend = [&](double wavelength, double amplitude, std::uint64_t which) {
    return amplitude * gradient_noise(p.x / wavelength, p.y / wavelength, hash_of(seed_, 100, which));
  };
  return {p.x + bend(430, 34, 0) + bend(140, 6, 1), p.y + bend(430, 34, 2) + bend(140, 6, 3)};
}

Point2 Landscape::ground_from_flattened(Point2 flat) const {
  Point2 p = flat;
  for (int i = 0; i < 6; ++i) {  // the bends are gentle: each step gains about a digit
    const Point2 q = flattened(p);
    p = {p.x + flat.x - q.x, p.y + flat.y - q.y};
  }
  return p;
}

double Landscape::river_distance(Point2 p) const {
  // A line across the land, rotated by the seed, that swings sideways along its way.
  const double slope = unit_from(hash_of(seed_, 200)) * 1.6 - 0.8;
  const double unit = 1 / std::sqrt(1 + slope * slope);
  const double along = (p.x + slope * p.y) * unit;
  const double across = (p.y - slope * p.x) * unit;
  const auto swing = [&](double t) {
    return 105 * gradient_noise(t / 390, 0.37, hash_of(seed_, 201)) +
           24 * gradient_noise(t / 110, 0.61, hash_of(seed_, 202)) +
           (unit_from(hash_of(seed_, 203)) - 0.5) * size_m_ * 0.3;
  };
  const double here = swing(along);
  const double steepness = (swing(along + 1) - here);
  const double half_width = 7.5 + 3.5 * gradient_noise(along / 85, 0.83, hash_of(seed_, 204));
  return std::abs(across - here) / std::sqrt(1 + steepness * steepness) - half_width;
}

void Landscape::file_into_bins() {
  bins_across_ = static_cast<int>(std::ceil(size_m_ / kBin_m));
  const auto count = static_cast<std::size_t>(bins_across_) * bins_across_;
  block_bins_.resize(count);
  tree_bins_.resize(count);
  const auto file = [&](Bins& bins, int id, Point2 c, double reach, double shadow) {
    // A shadow falls away from the sun: to the north-west.
    const auto bin = [&](double v) {
      return std::clamp(static_cast<int>(std::floor((v + size_m_ / 2) / kBin_m)), 0, bins_across_ - 1);
    };
    for (int j = bin(c.y - reach); j <= bin(c.y + reach + shadow); ++j)
      for (int i = bin(c.x - reach - shadow); i <= bin(c.x + reach); ++i)
        bins[static_cast<std::size_t>(j) * bins_across_ + i].push_back(id);
  };
  for (int id = 0; id < static_cast<int>(blocks_.size()); ++id) {
    const Block& b = blocks_[id];
    file(block_bins_, id, b.centre, static_cast<double>(b.half_length) + b.half_width + 1,
         b.height * kShadow);
  }
  for (int id = 0; id < static_cast<int>(trees_.size()); ++id) {
    const Tree& t = trees_[id];
    file(tree_bins_, id, t.centre, 1.5 * t.radius + 1, t.height * kShadow);
  }
}

std::vector<int> Landscape::near(const Bins& bins, Point2 centre, double half_m) const {
  const auto bin = [&](double v) {
    return std::clamp(static_cast<int>(std::floor((v + size_m_ / 2) / kBin_m)), 0, bins_across_ - 1);
  };
  std::vector<int> ids;
  for (int j = bin(centre.y - half_m); j <= bin(centre.y + half_m); ++j)
    for (int i = bin(centre.x - half_m); i <= bin(centre.x + half_m); ++i) {
      const auto& one = bins[static_cast<std::size_t>(j) * bins_across_ + i];
      ids.insert(ids.end(), one.begin(), one.end());
    }
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

}  // namespace imatch
