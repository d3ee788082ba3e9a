// SPDX-License-Identifier: Apache-2.0
#include "render/painter.h"

#include <algorithm>
#include <cmath>

#include "render/painter_shape.h"
#include "render/painter_spot.h"
#include "render/random.h"

namespace imatch {

constexpr int kLatticeStep = 8;          // texels between the points where slow quantities are computed
constexpr double kBorderReach = 14;      // metres from a line at which it still matters
constexpr double kCircle = 1.42 * 1.35;  // half a square's side to its circle, and what flattening stretches

Painter::Painter(const Landscape& land, const TexelGrid& grid)
    : land_(land), grid_(grid), texel_(static_cast<float>(grid.step)) {
  const auto count = static_cast<std::size_t>(grid.size) * grid.size;
  struct Octave {
    double wavelength, amplitude;
  };
  const auto fill = [&](std::vector<float>& values, std::uint64_t which,
                        std::initializer_list<Octave> octaves) {
    values.assign(count, 0);
    for (const Octave& o : octaves)
      add_noise(values, grid_, o.wavelength, o.amplitude, hash_of(land.seed(), which++));
  };
  fill(grain_, 300, {{0.31, 0.7}, {0.67, 0.7}, {1.43, 0.6}});
  fill(clump_, 310, {{2.9, 0.8}, {6.1, 0.8}});
  fill(patch_, 320, {{13.3, 0.75}, {31.7, 0.85}});
  fill(broad_, 330, {{87.1, 0.8}, {211.0, 0.9}});
}

std::vector<SurfaceColour> Painter::paint() {
  lay_lattice();
  const double half = grid_.step * (grid_.size - 1) / 2.0;
  const Point2 centre{grid_.x0 + half, grid_.y0 - half};
  const int start =
      prune(land_.divisions(), land_.root(), land_.flattened(centre), half * kCircle + kBorderReach, here_);
  colour_.resize(static_cast<std::size_t>(grid_.size) * grid_.size);
  shadow_.assign(colour_.size(), 0);
  for (int row = 0; row < grid_.size; row += kLatticeStep)
    for (int column = 0; column < grid_.size; column += kLatticeStep) paint_ground(column, row, start);

  const std::vector<int> blocks = land_.blocks_near(centre, half + grid_.step);
  const std::vector<int> trees = land_.trees_near(centre, half + grid_.step);
  const auto lies_flat = [&](int id) { return land_.blocks()[id].height == 0; };
  for (const int id : blocks)
    if (lies_flat(id)) draw(land_.blocks()[id]);
  for (const int id : blocks)
    if (!lies_flat(id)) cast_shadow(land_.blocks()[id]);
  for (const int id : trees) cast_shadow(land_.trees()[id]);
  shade();
  for (const int id : blocks)
    if (!lies_flat(id)) draw(land_.blocks()[id]);
  for (const int id : trees) draw(land_.trees()[id]);
  grade();
  return std::move(colour_);
}

void Painter::lay_lattice() {
  lattice_ = (grid_.size + kLatticeStep - 1) / kLatticeStep + 1;
  for (int j = 0; j < lattice_; ++j)
    for (int i = 0; i < lattice_; ++i) {
      const Point2 p{grid_.x0 + i * kLatticeStep * grid_.step, grid_.y0 - j * kLatticeStep * grid_.step};
      flat_.push_back(land_.flattened(p));
      river_.push_back(static_cast<float>(land_.river_distance(p)));
    }
}

/// The part of the tree of divisions that matters within a circle; returns its root, or ~parcel.
int Painter::prune(const std::vector<Division>& from, int at, Point2 centre, double radius,
                   std::vector<Division>& to) {
  if (at < 0) return at;
  const Division& d = from[at];
  const double distance = d.normal.x * centre.x + d.normal.y * centre.y - d.offset;
  if (distance > radius) return prune(from, d.child[1], centre, radius, to);
  if (distance < -radius) return prune(from, d.child[0], centre, radius, to);
  const int index = static_cast<int>(to.size());
  to.push_back({d.normal, d.offset, d.border, {0, 0}});
  for (int side = 0; side < 2; ++side) {
    const int child = prune(from, d.child[side], centre, radius, to);
    to[index].child[side] = child;
  }
  return index;
}

/// The texels between four points of the lattice; `start` is the root of here_.
void Painter::paint_ground(int column, int row, int start) {
  const std::size_t i = static_cast<std::size_t>(row / kLatticeStep) * lattice_ + column / kLatticeStep;
  const std::size_t below = i + lattice_;
  const auto mix = [](Point2 a, Point2 b, double t) {
    return Point2{a.x + (b.x - a.x) * t, a.y + (b.y - a.y) * t};
  };
  const Point2 middle = mix(mix(flat_[i], flat_[i + 1], 0.5), mix(flat_[below], flat_[below + 1], 0.5), 0.5);
  near_.clear();
  const int near_start =
      prune(here_, start, middle, kLatticeStep / 2.0 * grid_.step * kCircle + kBorderReach, near_);
  Spot spot;
  for (int r = row; r < std::min(row + kLatticeStep, grid_.size); ++r) {
    const double t = (r - row) / static_cast<double>(kLatticeStep);
    const auto tf = static_cast<float>(t);
    const Point2 left = mix(flat_[i], flat_[below], t), right = mix(flat_[i + 1], flat_[below + 1], t);
    const float river_left = river_[i] + (river_[below] - river_[i]) * tf;
    const float river_right = river_[i + 1] + (river_[below + 1] - river_[i + 1]) * tf;
    for (int c = column; c < std::min(column + kLatticeStep, grid_.size); ++c) {
      const double s = (c - column) / static_cast<double>(kLatticeStep);
      spot.index = static_cast<std::size_t>(r) * grid_.size + c;
      spot.flat = mix(left, right, s);
      spot.river = river_left + (river_right - river_left) * static_cast<float>(s);
      find_borders(near_start, spot);
      colour_[spot.index] = ground_at(spot);
      add_hedge_shadow(spot, spot.index);
    }
  }
}

void Painter::find_borders(int at, Spot& spot) const {
  spot.edge = 1e3f;
  spot.distance.fill(1e3f);
  while (at >= 0) {
    const Division& d = near_[at];
    const auto signed_distance =
        static_cast<float>(d.normal.x * spot.flat.x + d.normal.y * spot.flat.y - d.offset);
    const float distance = std::abs(signed_distance);
    const auto kind = static_cast<std::size_t>(d.border);
    if (distance < spot.distance[kind]) {
      spot.distance[kind] = distance;
      spot.node[kind] = &d;
    }
    spot.edge = std::min(spot.edge, distance);
    at = d.child[signed_distance >= 0];
  }
  spot.parcel = &land_.parcels()[~at];
}

SurfaceColour Painter::ground_at(const Spot& spot) const {
  SurfaceColour colour = cover_at(spot);
  if (spot.parcel->cover == Cover::pond) {
    const double x = spot.flat.x - spot.parcel->centre.x;
    const double y = spot.flat.y - spot.parcel->centre.y;
    const auto radius = static_cast<float>(0.8 * spot.parcel->inner_m);
    const float shore = static_cast<float>(std::sqrt(x * x + y * y)) - radius;
    colour =
        with_water(colour, spot, shore + radius * 0.28f * patch_[spot.index] + 0.8f * clump_[spot.index]);
  }
  colour = with_water(colour, spot, spot.river + 0.8f * clump_[spot.index]);
  return with_borders(colour, spot);
}

SurfaceColour Painter::cover_at(const Spot& spot) const {
  switch (spot.parcel->cover) {
    case Cover::green_crop:
    case Cover::ripe_crop:
    case Cover::ploughed:
    case Cover::row_crop:
    case Cover::mown:
      return crop_at(spot);
    case Cover::farmyard:
    case Cover::car_park:
      return paved_at(spot);
    default:
      return grass_at(spot);
  }
}

/// `distance` from the edge of the water, below 0 inside.
SurfaceColour Painter::with_water(SurfaceColour land, const Spot& spot, float distance) const {
  const std::size_t i = spot.index;
  if (distance > 5) return land;
  const float bank = 1 - smooth_step(0.5f, 3.5f, distance + 0.6f * patch_[i]);
  land = blend(land, SurfaceColour{124, 118, 82} * (1 + 0.14f * grain_[i] + 0.12f * clump_[i]), 0.8f * bank);
  if (distance > texel_) return land;
  const float depth = smooth_step(0, 3.5f, -distance + 0.4f * patch_[i]);
  SurfaceColour water = blend({112, 112, 84}, {54, 74, 72}, depth);
  water = water * (1 + 0.05f * grain_[i] + 0.05f * clump_[i] + 0.07f * patch_[i] + 0.05f * broad_[i]);
  return blend(land, water, edge_coverage(-distance, texel_));
}

void Painter::shade() {
  for (std::size_t i = 0; i < colour_.size(); ++i) {
    const float s = shadow_[i];
    if (s <= 0) continue;
    SurfaceColour& c = colour_[i];  // lit by the blue sky alone
    c = {c.r * (1 - 0.58f * s), c.g * (1 - 0.54f * s), c.b * (1 - 0.46f * s)};
  }
}

/// Air between the ground and the camera: paler colours, no deep black.
void Painter::grade() {
  for (SurfaceColour& c : colour_) {
    const float grey = 0.3f * c.r + 0.59f * c.g + 0.11f * c.b;
    c = blend(c, {grey, grey, grey}, 0.2f) * 1.08f + SurfaceColour{7, 9, 12};
  }
}

}  // namespace imatch
