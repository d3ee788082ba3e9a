// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "render/painter.h"
#include "render/painter_shape.h"
#include "render/random.h"

namespace imatch {
namespace {

constexpr float kShadowX = -0.6198f * Landscape::kShadow;  // of a metre's height, on the ground
constexpr float kShadowY = 0.7848f * Landscape::kShadow;

/// The length that a segment from (u, v) along (du, dv) spends in |u| <= half_u, |v| <= half_v, as a share of
/// the segment.
float share_inside(float u, float v, float du, float dv, float half_u, float half_v) {
  float enter = 0, leave = 1;
  const auto clip = [&](float start, float step, float half) {
    if (std::abs(step) < 1e-6f) {
      if (std::abs(start) > half) leave = -1;
      return;
    }
    const float a = (-half - start) / step, b = (half - start) / step;
    enter = std::max(enter, std::min(a, b));
    leave = std::min(leave, std::max(a, b));
  };
  clip(u, du, half_u);
  clip(v, dv, half_v);
  return std::max(0.0f, leave - enter);
}

float box_coverage(float u, float v, float half_u, float half_v, float texel) {
  return edge_coverage(half_u - std::abs(u), texel) * edge_coverage(half_v - std::abs(v), texel);
}

/// Lambert's law over a bright sky.
float light_on(float nx, float ny, float nz) {
  const auto& sun = Landscape::kSun;
  return 0.42f + 0.79f * std::max(0.0f, nx * sun[0] + ny * sun[1] + nz * sun[2]);
}

}  // namespace

/// Calls f(index, dx, dy) for the texels within `reach` of a point along both axes; dx east and dy north of
/// it, m.
template <class F>
void Painter::for_texels_near(Point2 centre, double reach, const F& f) {
  const auto bound = [&](double value) {
    return static_cast<int>(std::clamp(value, 0.0, static_cast<double>(grid_.size)));
  };
  const int left = bound(std::floor((centre.x - reach - grid_.x0) / grid_.step));
  const int right = bound(std::ceil((centre.x + reach - grid_.x0) / grid_.step) + 1);
  const int top = bound(std::floor((grid_.y0 - centre.y - reach) / grid_.step));
  const int bottom = bound(std::ceil((grid_.y0 - centre.y + reach) / grid_.step) + 1);
  for (int row = top; row < bottom; ++row)
    for (int column = left; column < right; ++column)
      f(static_cast<std::size_t>(row) * grid_.size + column,
        static_cast<float>(grid_.x0 + column * grid_.step - centre.x),
        static_cast<float>(grid_.y0 - row * grid_.step - centre.y));
}

void Painter::cast_shadow(const Block& b) {
  const auto ax = static_cast<float>(b.along.x), ay = static_cast<float>(b.along.y);
  const float sx = kShadowX * b.height, sy = kShadowY * b.height;
  const float length = std::sqrt(sx * sx + sy * sy);
  const float su = sx * ax + sy * ay, sv = sy * ax - sx * ay;
  const Point2 middle{b.centre.x + 0.5 * static_cast<double>(sx), b.centre.y + 0.5 * static_cast<double>(sy)};
  const double reach = 0.5 * static_cast<double>(length) + static_cast<double>(b.half_length + b.half_width);
  for_texels_near(middle, reach, [&](std::size_t i, float dx, float dy) {
    const float x = dx + 0.5f * sx, y = dy + 0.5f * sy;
    const float u = x * ax + y * ay, v = y * ax - x * ay;
    const float inside = share_inside(u, v, -su, -sv, b.half_length, b.half_width) * length;
    shadow_[i] = std::max(shadow_[i], std::min(1.0f, inside / (texel_ + 0.1f)));
  });
}

void Painter::cast_shadow(const Tree& t) {
  const float fall = std::max(0.3f, t.height - 0.8f * t.radius);
  const float sx = kShadowX * fall, sy = kShadowY * fall;
  const float square = sx * sx + sy * sy;
  const Point2 middle{t.centre.x + 0.5 * static_cast<double>(sx), t.centre.y + 0.5 * static_cast<double>(sy)};
  const double reach = 0.5 * std::sqrt(static_cast<double>(square)) + 1.3 * static_cast<double>(t.radius);
  for_texels_near(middle, reach, [&](std::size_t i, float dx, float dy) {
    const float x = dx + 0.5f * sx, y = dy + 0.5f * sy;
    const float along = std::clamp((x * sx + y * sy) / square, 0.35f, 1.0f);
    const float ex = x - along * sx, ey = y - along * sy;
    const float r = t.radius * (0.92f + 0.16f * clump_[i] + 0.06f * grain_[i]);
    shadow_[i] = std::max(shadow_[i], edge_coverage(r - std::sqrt(ex * ex + ey * ey), texel_ + 0.15f));
  });
}

SurfaceColour Painter::roof_at(const Block& b, float u, float v, std::size_t i) const {
  const auto ax = static_cast<float>(b.along.x), ay = static_cast<float>(b.along.y);
  SurfaceColour c = b.colour;
  float light = 1 + 0.035f * grain_[i] + 0.05f * clump_[i];
  if (b.kind == Block::Kind::flat_roof) {
    const float rim = std::min(b.half_length - std::abs(u), b.half_width - std::abs(v));
    c = blend(c, SurfaceColour{206, 204, 198}, 0.55f * line_coverage(rim - 0.25f, 0.2f, texel_));
    light += 0.07f * patch_[i] - 0.06f * edge_coverage(0.9f - std::abs(rim - 0.9f), 0.5f);
    // Skylights and ventilation, in a loose grid.
    const float gu = std::floor(u / 5.0f), gv = std::floor(v / 4.0f);
    const double dice = unit_from(hash_of(b.seed, static_cast<std::uint64_t>(static_cast<std::int64_t>(gu)),
                                          static_cast<std::uint64_t>(static_cast<std::int64_t>(gv))));
    if (dice < 0.3 && rim > 1.5f) {
      const float hu = dice < 0.12 ? 1.5f : 0.6f;
      const float box = box_coverage(u - (gu + 0.5f) * 5, v - (gv + 0.5f) * 4, hu, 0.6f, texel_);
      c = blend(c, dice < 0.12 ? SurfaceColour{150, 168, 180} : SurfaceColour{120, 120, 120}, 0.85f * box);
    }
    return c * (light * light_on(0, 0, 1));
  }
  const float to_end = b.half_length - std::abs(u);
  const bool at_end = b.kind == Block::Kind::hip_roof && to_end < b.half_width - std::abs(v);
  const float ou = at_end ? (u > 0 ? 1.0f : -1.0f) : 0.0f;  // the way the plane faces, in the block's frame
  const float ov = at_end ? 0.0f : (v > 0 ? 1.0f : -1.0f);
  constexpr float kPitchSin = 0.57f, kPitchCos = 0.82f;
  const float nx = (ou * ax - ov * ay) * kPitchSin, ny = (ou * ay + ov * ax) * kPitchSin;
  light *= light_on(nx, ny, kPitchCos);
  const float downslope = at_end ? to_end : b.half_width - std::abs(v);
  const bool sheet = b.half_width > 4.6f;  // barns are roofed with sheets, houses with tiles
  const float course = sheet ? wave(u / 1.1f) * wave_contrast(1.1f, texel_)
                             : wave(downslope / 0.38f) * wave_contrast(0.38f, texel_);
  light *= 1 + 0.05f * course;
  c = c * light;
  c = blend(c, b.colour * 1.12f,
            0.6f * line_coverage(at_end ? to_end - b.half_width + std::abs(v) : v, 0.14f, texel_));
  const auto dice = [&](std::uint64_t which) {
    return static_cast<float>(unit_from(hash_of(b.seed, 1, which)));
  };
  if (!sheet && b.half_length > 3.5f) {
    if (dice(0) < 0.7f) {  // chimney
      const float cu = (dice(1) - 0.5f) * b.half_length, cv = (dice(2) - 0.5f) * b.half_width;
      c = blend(c, {50, 46, 46}, 0.6f * box_coverage(u - cu + 0.25f, v - cv - 0.35f, 0.5f, 0.5f, texel_));
      c = blend(c, {146, 116, 104}, box_coverage(u - cu, v - cv, 0.4f, 0.35f, texel_));
    }
    const float sun_side = (-ay * Landscape::kSun[0] + ax * Landscape::kSun[1]) > 0 ? 1.0f : -1.0f;
    if (dice(3) < 0.3f) {  // solar panels on the sunny side
      const float pu = u - (dice(4) - 0.5f) * 0.5f * b.half_length, pv = v * sun_side - 0.5f * b.half_width;
      const float panel = box_coverage(pu, pv, 0.45f * b.half_length, 0.36f * b.half_width, texel_);
      const float seam = std::max(line_coverage(to_nearest(pu, 1.0f), 0.04f, texel_),
                                  line_coverage(to_nearest(pv, 1.6f), 0.04f, texel_));
      c = blend(c, blend({34, 42, 66}, {150, 156, 168}, 0.6f * seam), panel);
    } else if (dice(3) < 0.6f) {  // roof windows
      c = blend(c, {92, 108, 124},
                box_coverage(to_nearest(u - dice(5), 3.0f), v * sun_side - 0.55f * b.half_width, 0.4f, 0.6f,
                             texel_) *
                    edge_coverage(to_end - 1, texel_));
    }
  }
  return c;
}

void Painter::draw(const Block& b) {
  const auto ax = static_cast<float>(b.along.x), ay = static_cast<float>(b.along.y);
  const double reach = static_cast<double>(b.half_length + b.half_width);
  for_texels_near(b.centre, reach, [&](std::size_t i, float dx, float dy) {
    const float u = dx * ax + dy * ay, v = dy * ax - dx * ay;
    const float covered = box_coverage(u, v, b.half_length, b.half_width, texel_);
    if (covered <= 0) return;
    SurfaceColour c = b.colour;
    const float texture = 1 + 0.06f * grain_[i] + 0.06f * clump_[i];
    switch (b.kind) {
      case Block::Kind::drive:
        c = c * texture;
        break;
      case Block::Kind::pool: {
        const float rim = std::min(b.half_length - std::abs(u), b.half_width - std::abs(v));
        c = blend(SurfaceColour{214, 208, 196}, c * (1 + 0.05f * clump_[i]),
                  edge_coverage(rim - 0.5f, texel_));
        break;
      }
      case Block::Kind::car: {
        const float cabin = box_coverage(u + 0.2f, v, 0.56f * b.half_length, 0.84f * b.half_width, texel_);
        const float top = box_coverage(u + 0.3f, v, 0.34f * b.half_length, 0.76f * b.half_width, texel_);
        c = blend(blend(c * 0.94f, {36, 42, 48}, b.half_length < 3 ? cabin : 0.0f), b.colour, top);
        break;
      }
      case Block::Kind::bale:
        c = c * (texture * (1.1f - 0.35f * std::abs(v) / b.half_width));
        break;
      default:
        c = roof_at(b, u, v, i);
    }
    colour_[i] = blend(colour_[i], c, covered);
  });
}

void Painter::draw(const Tree& t) {
  for_texels_near(t.centre, 1.35 * static_cast<double>(t.radius), [&](std::size_t i, float dx, float dy) {
    const float distance = std::sqrt(dx * dx + dy * dy);
    const float r = t.radius * (0.94f + 0.2f * clump_[i] + 0.09f * grain_[i]);
    const float covered = edge_coverage(r - distance, texel_);
    if (covered <= 0) return;
    const float nx = dx / t.radius, ny = dy / t.radius;
    const float nz = std::sqrt(std::max(0.12f, 1 - nx * nx - ny * ny));
    const float leaves = 1 + 0.38f * grain_[i] + 0.26f * clump_[i];
    const float light = (light_on(nx * 0.9f, ny * 0.9f, nz) - 0.04f) * std::max(0.35f, leaves);
    colour_[i] = blend(colour_[i], t.colour * light, covered);
  });
}

}  // namespace imatch
