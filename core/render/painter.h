// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "geometry/planar.h"
#include "render/landscape.h"
#include "render/noise.h"

namespace imatch {

/// Paints a square of a landscape as seen from straight above: first what lies on the ground, then shadows,
/// then what stands on it. Outlines are antialiased at the texel's size, and texture finer than a texel is
/// left out.
class Painter {
 public:
  /// Texel centres at the points of the grid.
  Painter(const Landscape& land, const TexelGrid& grid);

  /// Row-major colours in 0..255, not clamped.
  std::vector<SurfaceColour> paint();

 private:
  struct Spot;

  static int prune(const std::vector<Division>& from, int at, Point2 centre, double radius,
                   std::vector<Division>& to);
  void lay_lattice();
  void paint_ground(int column, int row, int start);
  void find_borders(int at, Spot& spot) const;
  SurfaceColour ground_at(const Spot& spot) const;
  SurfaceColour cover_at(const Spot& spot) const;
  SurfaceColour crop_at(const Spot& spot) const;
  SurfaceColour grass_at(const Spot& spot) const;
  SurfaceColour paved_at(const Spot& spot) const;
  SurfaceColour with_water(SurfaceColour land, const Spot& spot, float distance) const;
  SurfaceColour with_borders(SurfaceColour colour, const Spot& spot) const;
  void add_hedge_shadow(const Spot& spot, std::size_t index);

  template <class F>
  void for_texels_near(Point2 centre, double reach, const F& f);
  void cast_shadow(const Block& block);
  void cast_shadow(const Tree& tree);
  void shade();
  void grade();
  void draw(const Block& block);
  void draw(const Tree& tree);
  SurfaceColour roof_at(const Block& block, float u, float v, std::size_t index) const;

  const Landscape& land_;
  TexelGrid grid_;
  float texel_;
  std::vector<Division> here_;  // those that matter in this square
  std::vector<Division> near_;  // and to the few texels being painted
  int lattice_ = 0;             // points a side
  std::vector<Point2> flat_;
  std::vector<float> river_;
  std::vector<float> grain_, clump_, patch_, broad_;  // texture, from fine to coarse
  std::vector<SurfaceColour> colour_;
  std::vector<float> shadow_;
};

}  // namespace imatch
