// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "geometry/planar.h"

namespace imatch {

struct SurfaceColour {
  float r = 0, g = 0, b = 0;
};
inline SurfaceColour operator*(SurfaceColour c, float s) {
  return {c.r * s, c.g * s, c.b * s};
}
inline SurfaceColour operator+(SurfaceColour a, SurfaceColour b) {
  return {a.r + b.r, a.g + b.g, a.b + b.b};
}
inline SurfaceColour blend(SurfaceColour from, SurfaceColour to, float share) {
  return from + (to + from * -1.0f) * share;
}

/// What separates two parcels, from the most to the least important: where lines meet, the first one lies on
/// top.
enum class Border { main_road, street, track, hedge, fence, open };
inline constexpr int kBorders = 6;
/// Half the width of what is built along the line, m.
float half_width_m(Border border);

enum class Cover {
  green_crop,
  ripe_crop,
  ploughed,
  row_crop,
  meadow,
  mown,
  orchard,
  forest,
  pond,
  farmyard,
  garden,
  car_park
};

/// A convex piece of land, in the flattened frame (Landscape).
struct Parcel {
  Cover cover = Cover::meadow;
  SurfaceColour colour;
  Point2 along{1, 0};  ///< Unit vector of furrows and rows.
  Point2 centre;
  double inner_m = 0;     ///< Distance of the centre from the nearest border.
  float strip_m = 6;      ///< Width of the strips in which machines worked.
  float tramline_m = 24;  ///< Spacing of the wheel tracks left by the sprayer; 0: none.
  float patchiness = 1;
  std::uint64_t seed = 0;
};

/// A node of the division of the land: a line with a child on either side. Children below 0 are parcels:
/// ~index.
struct Division {
  Point2 normal;  ///< Unit vector; side 1 is where normal · p >= offset.
  double offset;
  Border border;
  std::array<int, 2> child;
};

/// Something with a rectangular outline.
struct Block {
  enum class Kind { drive, pool, car, bale, gable_roof, hip_roof, flat_roof };
  Kind kind;
  Point2 centre;  ///< Ground frame.
  Point2 along;   ///< Unit vector of the longer side.
  float half_length;
  float half_width;
  float height;
  SurfaceColour colour;
  std::uint64_t seed;
};

struct Tree {
  Point2 centre;  ///< Ground frame.
  float radius;
  float height;
  SurfaceColour colour;
};

/// Land laid out from a seed: land divided by roads, hedges and fences into parcels, a river, and what
/// stands on it. Lines that are straight in the *flattened* frame wind gently in the ground frame (metres,
/// origin in the middle).
class Landscape {
 public:
  Landscape(std::uint64_t seed, double size_m);

  std::uint64_t seed() const { return seed_; }
  double size_m() const { return size_m_; }
  const std::vector<Division>& divisions() const { return divisions_; }
  int root() const { return root_; }
  const std::vector<Parcel>& parcels() const { return parcels_; }
  const std::vector<Block>& blocks() const { return blocks_; }
  const std::vector<Tree>& trees() const { return trees_; }

  Point2 flattened(Point2 ground) const;
  Point2 ground_from_flattened(Point2 flat) const;
  /// Distance from the edge of the water, m; below 0 in the river. About true within 50 m of it.
  double river_distance(Point2 ground) const;

  /// Blocks and trees that may touch a square, with their shadows, in drawing order.
  std::vector<int> blocks_near(Point2 centre, double half_m) const {
    return near(block_bins_, centre, half_m);
  }
  std::vector<int> trees_near(Point2 centre, double half_m) const { return near(tree_bins_, centre, half_m); }

  /// Unit vector towards the sun: in the south-east, 47 degrees high.
  static constexpr std::array<float, 3> kSun{0.4219f, -0.5342f, 0.7326f};
  /// Length of a shadow a metre of height.
  static constexpr float kShadow = 0.9292f;

 private:
  friend class LandscapeBuilder;
  using Bins = std::vector<std::vector<int>>;
  std::vector<int> near(const Bins& bins, Point2 centre, double half_m) const;
  void file_into_bins();

  std::uint64_t seed_;
  double size_m_;
  int root_ = 0;
  std::vector<Division> divisions_;
  std::vector<Parcel> parcels_;
  std::vector<Block> blocks_;
  std::vector<Tree> trees_;
  int bins_across_ = 0;
  Bins block_bins_, tree_bins_;
};

}  // namespace imatch
