// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

namespace imatch {

/// Gradient noise (Perlin 2002) of wavelength 1 at a point, about in [-1, 1], mean 0; the lattice is hashed,
/// never repeated. Built of additions and multiplications only, so that it is the same on every machine.
double gradient_noise(double x, double y, std::uint64_t seed);

/// Square grid of texels on the ground: column i at x0 + i step, row j at y0 - j step.
struct TexelGrid {
  int size;
  double x0;
  double y0;
  double step;
};

/// Adds an octave of gradient noise to size × size values. It fades out where its wavelength comes below four
/// texels and is nothing below two: what a texel cannot show would only shimmer.
void add_noise(std::vector<float>& values, const TexelGrid& grid, double wavelength, double amplitude,
               std::uint64_t seed);

}  // namespace imatch
