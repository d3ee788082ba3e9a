// SPDX-License-Identifier: Apache-2.0
#include "render/noise.h"

#include <algorithm>
#include <cmath>

#include "render/random.h"

namespace imatch {
namespace {

struct Gradient {
  float x, y;
};

/// Four hash bytes make each component: about a Gaussian, so no direction stands out.
Gradient gradient_at(std::int64_t ix, std::int64_t iy, std::uint64_t seed) {
  const std::uint64_t h = hash_of(seed, static_cast<std::uint64_t>(ix), static_cast<std::uint64_t>(iy));
  const auto component = [](std::uint64_t bits) {
    const auto sum = static_cast<std::int64_t>((bits & 255) + ((bits >> 8) & 255) + ((bits >> 16) & 255) +
                                               ((bits >> 24) & 255));
    return static_cast<float>(sum - 510) * (1.0f / 148.0f);  // standard deviation 1
  };
  return {component(h), component(h >> 32)};
}

template <class T>
T fade(T t) {
  return t * t * t * (t * (t * 6 - 15) + 10);
}

template <class T>
T lerp(T a, T b, T t) {
  return a + (b - a) * t;
}

}  // namespace

double gradient_noise(double x, double y, std::uint64_t seed) {
  const double left = std::floor(x);
  const double low = std::floor(y);
  const double fx = x - left;
  const double fy = y - low;
  const auto ix = static_cast<std::int64_t>(left);
  const auto iy = static_cast<std::int64_t>(low);
  const auto corner = [&](int i, int j) {
    const Gradient g = gradient_at(ix + i, iy + j, seed);
    return static_cast<double>(g.x) * (fx - i) + static_cast<double>(g.y) * (fy - j);
  };
  const double sx = fade(fx);
  return lerp(lerp(corner(0, 0), corner(1, 0), sx), lerp(corner(0, 1), corner(1, 1), sx), fade(fy));
}

void add_noise(std::vector<float>& values, const TexelGrid& grid, double wavelength, double amplitude,
               std::uint64_t seed) {
  const double texels = wavelength / grid.step;
  if (texels <= 2) return;
  const auto gain = static_cast<float>(amplitude * std::min(1.0, texels / 2 - 1));
  const int n = grid.size;

  struct Column {
    int cell;
    float f, s;
  };
  std::vector<Column> columns(n);
  const auto first = static_cast<std::int64_t>(std::floor(grid.x0 / wavelength));
  for (int i = 0; i < n; ++i) {
    const double x = (grid.x0 + i * grid.step) / wavelength;
    const double cell = std::floor(x);
    const auto f = static_cast<float>(x - cell);
    columns[i] = {static_cast<int>(static_cast<std::int64_t>(cell) - first), f, fade(f)};
  }
  const int cells = columns.back().cell + 2;
  std::vector<Gradient> below(cells), above(cells);
  std::int64_t row_of_cells = 0;
  for (int j = 0; j < n; ++j) {
    const double y = (grid.y0 - j * grid.step) / wavelength;
    const double cell = std::floor(y);
    const auto fy = static_cast<float>(y - cell);
    const float sy = fade(fy);
    if (const auto iy = static_cast<std::int64_t>(cell); j == 0 || iy != row_of_cells) {
      row_of_cells = iy;
      for (int i = 0; i < cells; ++i) {
        below[i] = gradient_at(first + i, iy, seed);
        above[i] = gradient_at(first + i, iy + 1, seed);
      }
    }
    float* out = values.data() + static_cast<std::ptrdiff_t>(j) * n;
    for (int i = 0; i < n; ++i) {
      const Column c = columns[i];
      const Gradient a = below[c.cell], b = below[c.cell + 1], d = above[c.cell], e = above[c.cell + 1];
      const float low = lerp(a.x * c.f + a.y * fy, b.x * (c.f - 1) + b.y * fy, c.s);
      const float high = lerp(d.x * c.f + d.y * (fy - 1), e.x * (c.f - 1) + e.y * (fy - 1), c.s);
      out[i] += gain * lerp(low, high, sy);
    }
  }
}

}  // namespace imatch
