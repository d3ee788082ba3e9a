// SPDX-License-Identifier: Apache-2.0
//
// What covers a parcel: crops, grass and paving.
#include <algorithm>
#include <cmath>

#include "render/painter_shape.h"
#include "render/painter_spot.h"
#include "render/random.h"

namespace imatch {
namespace {

constexpr SurfaceColour kEarth{138, 118, 92};

}  // namespace

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

}  // namespace imatch
