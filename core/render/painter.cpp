// SPDX-License-Identifier: Apache-2.0
#include "render/painter.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "render/painter_shape.h"
#include "render/random.h"

namespace imatch {

constexpr int kLatticeStep = 8;          // texels between the points where slow quantities are computed
constexpr double kBorderReach = 14;      // metres from a line at which it still matters
constexpr double kCircle = 1.42 * 1.35;  // half a square's side to its circle, and what flattening stretches
constexpr SurfaceColour kVerge{104, 118, 70};
constexpr SurfaceColour kEarth{138, 118, 92};
constexpr SurfaceColour kAsphalt{104, 104, 106};
constexpr SurfaceColour kPaint{214, 214, 208};
constexpr SurfaceColour kHedge{60, 78, 42};

/// A texel and all that is known of its place.
struct Painter::Spot {
  std::size_t index = 0;
  Point2 flat;
  float river = 0;
  const Parcel* parcel = nullptr;
  float edge = 0;  ///< Distance of the nearest border, m; large beyond kBorderReach.
  std::array<float, kBorders> distance{};
  std::array<const Division*, kBorders> node{};
};

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

/// Fields: strips, rows and wheel tracks along the parcel's direction, and round the headland along its
/// border.
SurfaceColour Painter::crop_at(const Spot& spot) const {
  const Parcel& p = *spot.parcel;
  const std::size_t i = spot.index;
  const auto x = static_cast<float>(spot.flat.x - p.centre.x);
  const auto y = static_cast<float>(spot.flat.y - p.centre.y);
  const auto ax = static_cast<float>(p.along.x), ay = static_cast<float>(p.along.y);
  float across = ay * x - ax * y + 0.25f * clump_[i] + 0.35f * patch_[i];
  float along = ax * x + ay * y;
  const float headland = 7 + 2 * p.patchiness;
  if (spot.edge < headland) across = spot.edge + 0.2f * clump_[i];

  const float strip_index = std::floor(across / p.strip_m);
  const auto strip = static_cast<float>(
      unit_from(hash_of(p.seed, static_cast<std::uint64_t>(static_cast<std::int64_t>(strip_index)))) - 0.5);
  const float uneven = p.patchiness * (0.10f * patch_[i] + 0.09f * broad_[i] + 0.045f * clump_[i]);
  SurfaceColour c = p.colour;
  float light = 1;
  const auto rows = [&](float period) { return wave(across / period) * wave_contrast(period, texel_); };
  switch (p.cover) {
    case Cover::green_crop: {
      light += uneven + 0.07f * strip + 0.05f * rows(0.5f) + 0.10f * grain_[i];
      c = blend(c, {150, 146, 84},
                std::clamp(0.35f * patch_[i] * broad_[i] + 0.22f * clump_[i] * patch_[i], 0.0f, 0.5f));
      break;
    }
    case Cover::ripe_crop: {
      const float lodged = smooth_step(0.35f, 0.6f, 0.75f * patch_[i] + 0.35f * clump_[i]);
      light += 0.7f * uneven + 0.05f * strip + 0.04f * rows(0.5f) * (1 - lodged) + 0.09f * grain_[i] +
               0.09f * lodged;
      c = blend(c, {140, 140, 84}, std::clamp(0.3f * broad_[i] - 0.2f * patch_[i], 0.0f, 0.35f));
      break;
    }
    case Cover::ploughed: {
      const float damp = smooth_step(-0.25f, 0.6f, 0.7f * broad_[i] + 0.5f * patch_[i] + 0.15f * clump_[i]);
      light += 0.08f * strip + 0.13f * rows(0.8f) + 0.16f * grain_[i] + 0.05f * clump_[i] -
               0.26f * p.patchiness * damp + 0.05f * rows(p.strip_m);
      break;
    }
    case Cover::row_crop: {
      const float vigour =
          std::clamp(0.55f + 0.25f * patch_[i] + 0.3f * broad_[i] + 0.18f * clump_[i], 0.05f, 1.0f);
      const float plants = std::clamp(vigour + 0.55f * rows(0.75f) + 0.3f * grain_[i], 0.0f, 1.0f);
      c = blend({146, 124, 96}, c, plants);
      light += 0.08f * grain_[i] + 0.04f * strip + 0.05f * clump_[i];
      break;
    }
    default: {  // mown: light and dark swaths with hay left between them
      const float parity = strip_index - 2 * std::floor(strip_index / 2);
      light += 0.8f * uneven + 0.09f * (parity - 0.5f) + 0.05f * strip + 0.10f * grain_[i];
      const float row = to_nearest(across, p.strip_m);
      const float hay = line_coverage(row + 0.3f * grain_[i], 0.5f + 0.3f * clump_[i], texel_);
      c = blend(c, {184, 174, 112}, 0.6f * hay);
    }
  }
  if (p.tramline_m > 0 && p.cover != Cover::mown) {
    const float track = std::abs(to_nearest(across - p.tramline_m * 0.5f, p.tramline_m)) - 0.9f;
    const float worn = line_coverage(track, 0.24f, texel_) * std::clamp(0.7f + 0.3f * clump_[i], 0.2f, 1.0f);
    c = blend(c, kEarth, 0.65f * worn);
    light -= 0.05f * worn;
  }
  // Where the drill skipped or the seed failed.
  const float gap =
      smooth_step(0.62f, 0.8f, clump_[i] * 0.8f - 0.45f * patch_[i] + 0.002f * wave(along / 61.0f));
  return blend(c, kEarth, 0.45f * gap) * light;
}

/// Grass, gardens, and the floor of woods: patches at every scale, and trodden paths.
SurfaceColour Painter::grass_at(const Spot& spot) const {
  const Parcel& p = *spot.parcel;
  const std::size_t i = spot.index;
  SurfaceColour c = p.colour;
  if (p.cover == Cover::forest) return c * (1 + 0.2f * clump_[i] + 0.22f * grain_[i] + 0.1f * patch_[i]);

  c = blend(
      c, {156, 150, 94},
      std::clamp(p.patchiness * (0.30f * patch_[i] + 0.22f * broad_[i] + 0.16f * clump_[i]), 0.0f, 0.7f));
  c = blend(
      c, {78, 96, 50},
      std::clamp(p.patchiness * (-0.30f * patch_[i] - 0.16f * broad_[i] + 0.20f * clump_[i]), 0.0f, 0.6f));
  float light = 1 + 0.19f * grain_[i] + 0.09f * clump_[i];
  if (p.cover == Cover::garden) {
    const float beds = smooth_step(0.55f, 0.7f, clump_[i] + 0.3f * grain_[i]);
    c = blend(c, {116, 96, 76}, 0.6f * beds * (spot.edge < 3 ? 1.0f : 0.25f));
    return c * light;
  }
  if (p.cover == Cover::orchard) {
    const float across =
        static_cast<float>((spot.flat.x - p.centre.x) * p.along.y - (spot.flat.y - p.centre.y) * p.along.x);
    light += 0.06f * wave(across / 3.3f) * wave_contrast(3.3f, texel_);
  }
  // Tussocks and weeds the cattle leave, and bare spots.
  const float tuft = smooth_step(0.35f, 0.75f, 0.55f * clump_[i] + 0.45f * grain_[i] + 0.35f * patch_[i]);
  c = blend(c, {70, 92, 46}, 0.55f * tuft);
  const float bare = smooth_step(0.5f, 0.75f, -0.8f * clump_[i] + 0.3f * grain_[i] - 0.25f * patch_[i]);
  c = blend(c, {160, 146, 112}, 0.5f * bare);
  // Paths follow the contour of the broad noise; the slope turns its value into metres.
  const std::size_t n = static_cast<std::size_t>(grid_.size);
  const std::size_t right = i % n + 1 < n ? i + 1 : i - 1;
  const std::size_t below = i + n < broad_.size() ? i + n : i - n;
  const float dx = broad_[right] - broad_[i];
  const float dy = broad_[below] - broad_[i];
  const float slope = std::sqrt(dx * dx + dy * dy) / texel_;
  if (slope > 1e-4f && p.cover == Cover::meadow) {
    const float distance = (broad_[i] + 0.012f * clump_[i] - 0.12f) / slope;
    c = blend(c, {168, 150, 118}, 0.75f * line_coverage(distance, 0.32f + 0.1f * clump_[i], texel_));
  }
  return c * light;
}

/// Yards and car parks.
SurfaceColour Painter::paved_at(const Spot& spot) const {
  const Parcel& p = *spot.parcel;
  const std::size_t i = spot.index;
  const float light = 1 + 0.05f * grain_[i] + 0.06f * clump_[i] + 0.07f * patch_[i];
  SurfaceColour c = p.colour * light;
  if (p.cover == Cover::farmyard) {
    const float grown = smooth_step(-0.1f, 0.5f, patch_[i] + 0.4f * clump_[i] + 0.5f - 0.08f * spot.edge);
    return blend(c, kVerge * (1 + 0.15f * grain_[i] + 0.1f * clump_[i]), 0.85f * grown);
  }
  const auto x = static_cast<float>(spot.flat.x - p.centre.x);
  const auto y = static_cast<float>(spot.flat.y - p.centre.y);
  const float along = static_cast<float>(p.along.x) * x + static_cast<float>(p.along.y) * y;
  const float across = static_cast<float>(-p.along.y) * x + static_cast<float>(p.along.x) * y;
  const float bay = line_coverage(to_nearest(along + 1.35f, 2.7f), 0.06f, texel_);
  const float in_row = edge_coverage(2.5f - std::abs(to_nearest(across, 8.5f)), texel_);
  return blend(c, kPaint, 0.8f * bay * in_row * edge_coverage(spot.edge - 6, texel_));
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

/// Verges, fences, hedges and roads, the most important on top.
SurfaceColour Painter::with_borders(SurfaceColour c, const Spot& spot) const {
  const std::size_t i = spot.index;
  const auto at = [&](Border border) { return spot.distance[static_cast<std::size_t>(border)]; };
  const float rough = 0.35f * clump_[i] + 0.15f * grain_[i];
  const float wet = spot.river;
  const bool village = spot.parcel->cover == Cover::garden || spot.parcel->cover == Cover::car_park;
  const auto verge = [&](Border border, float width) {
    const float reach = half_width_m(border) + width + rough;
    const float share = edge_coverage(reach - at(border), texel_ + 0.3f);
    const SurfaceColour grass =
        blend(kVerge, {150, 142, 92}, std::clamp(0.35f + 0.4f * patch_[i] + 0.2f * clump_[i], 0.0f, 1.0f));
    c = blend(c, grass * (1 + 0.13f * grain_[i] + 0.1f * clump_[i]), share * smooth_step(0, 2, wet));
  };
  if (at(Border::open) < 2) verge(Border::open, 0.25f);
  if (at(Border::fence) < 4) {
    verge(Border::fence, village ? 0.1f : 0.9f);
    c = blend(c, village ? SurfaceColour{150, 138, 122} : SurfaceColour{126, 118, 104},
              line_coverage(at(Border::fence), 0.07f, texel_) * smooth_step(0, 2, wet));
  }
  if (at(Border::hedge) < 6) {
    if (!village) verge(Border::hedge, 1.2f);
    const float width = village ? 0.55f : half_width_m(Border::hedge) + 0.45f * clump_[i];
    const float leaves =
        edge_coverage(width + 0.15f * grain_[i] - at(Border::hedge), texel_) * smooth_step(0, 2, wet);
    const float dome = 1.1f - 0.35f * std::min(1.0f, at(Border::hedge) / std::max(width, 0.3f));
    c = blend(c, kHedge * (dome * (1 + 0.3f * grain_[i] + 0.22f * clump_[i] + 0.1f * patch_[i])), leaves);
  }
  if (const float d = at(Border::track); d < 6) {
    verge(Border::track, 1.0f);
    const float worn = edge_coverage(half_width_m(Border::track) + 0.4f * rough - d, texel_ + 0.15f);
    const float ruts =
        std::max(line_coverage(d - 0.78f, 0.36f + 0.1f * clump_[i], texel_), 0.25f + 0.3f * patch_[i]);
    const SurfaceColour gravel =
        SurfaceColour{176, 160, 132} * (1 + 0.09f * grain_[i] + 0.08f * clump_[i] + 0.05f * patch_[i]);
    c = blend(c, gravel, worn * std::clamp(ruts, 0.0f, 0.95f));
  }
  const auto asphalt = [&](float tone) {
    const float mended = smooth_step(0.55f, 0.6f, 0.6f * patch_[i] + 0.6f * clump_[i]);
    return kAsphalt *
           (tone * (1 + 0.045f * grain_[i] + 0.04f * clump_[i] + 0.08f * patch_[i] - 0.14f * mended));
  };
  const auto parapet = [&](float distance, float half_width) {
    if (wet < 2) c = blend(c, {176, 172, 164}, line_coverage(distance - half_width - 0.25f, 0.22f, texel_));
  };
  if (const float d = at(Border::street); d < 8) {
    verge(Border::street, village ? 1.5f : 1.2f);
    const float half = half_width_m(Border::street);
    if (village)
      c = blend(c, SurfaceColour{156, 152, 146} * (1 + 0.05f * grain_[i] + 0.05f * clump_[i]),
                edge_coverage(half + 1.5f - d, texel_));
    c = blend(c, asphalt(1.05f), edge_coverage(half - d + (village ? 0 : 0.2f * rough), texel_));
    if (village) c = blend(c, {176, 174, 168}, 0.8f * line_coverage(d - half, 0.09f, texel_));
    parapet(d, half);
  }
  if (const float d = at(Border::main_road); d < 9) {
    verge(Border::main_road, 1.6f);
    const float half = half_width_m(Border::main_road);
    const float lane = std::abs(std::abs(d - 1.7f) - 0.75f);  // wheels darken the road
    c = blend(c, asphalt(0.92f - 0.05f * edge_coverage(0.3f - lane, 0.4f)), edge_coverage(half - d, texel_));
    const Point2 normal = spot.node[static_cast<std::size_t>(Border::main_road)]->normal;
    const auto along = static_cast<float>(spot.flat.x * normal.y - spot.flat.y * normal.x);
    const float dash = edge_coverage(1.5f - std::abs(to_nearest(along, 9.0f)), texel_);
    const float paint =
        std::max(line_coverage(d - half + 0.35f, 0.07f, texel_), dash * line_coverage(d, 0.08f, texel_));
    c = blend(c, kPaint, paint * std::clamp(0.85f + 0.3f * clump_[i], 0.3f, 1.0f));
    parapet(d, half);
  }
  return c;
}

void Painter::add_hedge_shadow(const Spot& spot, std::size_t index) {
  const auto hedge = static_cast<std::size_t>(Border::hedge);
  if (spot.distance[hedge] > 4 || spot.river < 1) return;
  const bool village = spot.parcel->cover == Cover::garden || spot.parcel->cover == Cover::car_park;
  const Division& node = *spot.node[hedge];
  const double side = node.normal.x * spot.flat.x + node.normal.y * spot.flat.y - node.offset;
  // How far the shadow of a hedge 1.6 m high falls to this side.
  const double away = -(node.normal.x * static_cast<double>(Landscape::kSun[0]) +
                        node.normal.y * static_cast<double>(Landscape::kSun[1]));
  if (side * away <= 0) return;
  const float reach =
      (village ? 0.5f : 1.0f) + (village ? 1.2f : 1.8f) * static_cast<float>(std::abs(away)) * 1.36f;
  shadow_[index] = edge_coverage(reach + 0.4f * clump_[index] - spot.distance[hedge], texel_ + 0.1f);
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
