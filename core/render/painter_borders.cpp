// SPDX-License-Identifier: Apache-2.0
//
// What runs along the borders of parcels: hedges, fences and roads.
#include <algorithm>
#include <cmath>

#include "render/painter_shape.h"
#include "render/painter_spot.h"

namespace imatch {
namespace {

constexpr SurfaceColour kAsphalt{104, 104, 106};
constexpr SurfaceColour kHedge{60, 78, 42};

}  // namespace

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

}  // namespace imatch
