// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>

namespace imatch {

/// Share of a texel covered by a half-plane whose edge lies `inside` metres beyond its centre.
inline float edge_coverage(float inside, float texel) {
  return std::clamp(inside / texel + 0.5f, 0.0f, 1.0f);
}

/// Share of a texel covered by a line of the given half width, `distance` from its centre.
inline float line_coverage(float distance, float half_width, float texel) {
  return std::clamp((half_width + texel / 2 - std::abs(distance)) / texel, 0.0f,
                    std::min(1.0f, 2 * half_width / texel));
}

/// A cosine-like wave of period 1 between -1 and 1, of multiplications only.
inline float wave(float t) {
  const float f = std::abs(2 * (t - std::floor(t)) - 1);
  return 2 * f * f * (3 - 2 * f) - 1;
}

/// What a texel keeps of a wave of that period.
inline float wave_contrast(float period, float texel) {
  return std::clamp(1.5f - 3 * texel / period, 0.0f, 1.0f);
}

/// Distance to the nearest multiple of `period`.
inline float to_nearest(float value, float period) {
  return value - period * std::floor(value / period + 0.5f);
}

inline float smooth_step(float low, float high, float value) {
  const float t = std::clamp((value - low) / (high - low), 0.0f, 1.0f);
  return t * t * (3 - 2 * t);
}

}  // namespace imatch
