// SPDX-License-Identifier: Apache-2.0
#include "backbone/sift_grid.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>

#include <cmath>
#include "catch.h"

#include "base/error.h"

namespace {

using imatch::dense_rootsift;
using imatch::SiftGrid;

/// Levels of a fixed pattern with detail at several scales, moved by (dx, dy) pixels.
at::Tensor texture(int height, int width, int dx = 0, int dy = 0) {
  at::Tensor grey = at::empty({height, width}, at::kFloat);
  auto levels = grey.accessor<float, 2>();
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) {
      const double u = x - dx;
      const double v = y - dy;
      levels[y][x] = static_cast<float>(127 + 60 * std::sin(0.37 * u + 0.05 * v) * std::cos(0.21 * v) +
                                        40 * std::sin(0.011 * u * v) + 20 * std::sin(1.3 * u - 0.7 * v));
    }
  return grey;
}

/// Levels that rise by `slope` a pixel towards `angle_deg`, clockwise from x.
at::Tensor ramp(int size, double angle_deg, double slope) {
  at::Tensor grey = at::empty({size, size}, at::kFloat);
  auto levels = grey.accessor<float, 2>();
  const double angle = angle_deg * std::acos(-1.0) / 180;
  for (int y = 0; y < size; ++y)
    for (int x = 0; x < size; ++x)
      levels[y][x] = static_cast<float>(100 + slope * (std::cos(angle) * x + std::sin(angle) * y));
  return grey;
}

TEST_CASE("dense_rootsift: the grid covers whole steps") {
  const at::Tensor tokens = dense_rootsift(texture(67, 101), {.step_px = 8, .bin_size_px = 4});
  CHECK(tokens.sizes() == at::IntArrayRef{8 * 12, 128});
  CHECK(tokens.scalar_type() == at::kFloat);
  CHECK(dense_rootsift(texture(67, 101), {.step_px = 5, .bin_size_px = 3}).size(0) == 13 * 20);
}

TEST_CASE("dense_rootsift: a constant image has no descriptors") {
  const at::Tensor tokens = dense_rootsift(at::full({64, 64}, 93.0, at::kFloat), {});
  CHECK(tokens.abs().max().item<float>() == 0);
}

TEST_CASE("dense_rootsift: the squared norm is the mean gradient magnitude of the window") {
  for (const auto& [step, bin] : {std::pair{8, 4}, {16, 4}, {5, 3}, {7, 6}}) {
    const at::Tensor tokens = dense_rootsift(ramp(96, 0, 1.5), {.step_px = step, .bin_size_px = bin});
    const int side = 96 / step;
    const float middle = tokens[side / 2 * side + side / 2].square().sum().item<float>();
    CHECK(middle == Approx(1.5).epsilon(1e-4));
  }
}

TEST_CASE("dense_rootsift: a ramp falls into the orientation it rises to") {
  for (int orientation = 0; orientation < 8; ++orientation) {
    const at::Tensor tokens = dense_rootsift(ramp(96, 45.0 * orientation, 2), {});
    const at::Tensor bins = tokens[6 * 12 + 6].view({16, 8}).square().sum(0);
    CHECK(bins[orientation].item<float>() == Approx(bins.sum().item<float>()).epsilon(1e-3));
  }
  // Half-way between two orientations both get the same.
  const at::Tensor tokens = dense_rootsift(ramp(96, 22.5, 2), {});
  const at::Tensor bins = tokens[6 * 12 + 6].view({16, 8}).square().sum(0);
  CHECK(bins[0].item<float>() == Approx(bins[1].item<float>()).epsilon(1e-3));
  CHECK(bins.slice(0, 2).sum().item<float>() < 1e-3F * bins[0].item<float>());
}

TEST_CASE("dense_rootsift: brightness does not matter, contrast only scales") {
  const at::Tensor grey = texture(96, 96);
  const at::Tensor tokens = dense_rootsift(grey, {});
  CHECK((dense_rootsift(grey + 40, {}) - tokens).abs().max().item<float>() < 1e-3F);
  CHECK((dense_rootsift(grey * 0.25, {}) - tokens * 0.5).abs().max().item<float>() < 1e-4F);
}

TEST_CASE("dense_rootsift: moving the image by one step moves the interior tokens by one") {
  const SiftGrid grid{.step_px = 8, .bin_size_px = 4};
  const at::Tensor still = dense_rootsift(texture(128, 160), grid).view({16, 20, 128});
  const at::Tensor moved = dense_rootsift(texture(128, 160, 8, 8), grid).view({16, 20, 128});
  // Descriptors reach 2.5 bins from their centre and the smoothing 5 px further: two cells at each border.
  const at::Tensor a = still.slice(0, 2, 13).slice(1, 2, 17);
  const at::Tensor b = moved.slice(0, 3, 14).slice(1, 3, 18);
  CHECK((a - b).abs().max().item<float>() == 0);
  CHECK((a - still.slice(0, 3, 14).slice(1, 3, 18)).abs().max().item<float>() > 0.5F);
}

TEST_CASE("dense_rootsift: mirroring permutes bins and orientations") {
  const at::Tensor grey = texture(96, 128);
  const at::Tensor tokens = dense_rootsift(grey, {}).view({12, 16, 4, 4, 8});
  const at::Tensor mirrored = dense_rootsift(grey.flip({1}), {}).view({12, 16, 4, 4, 8}).flip({1, 3});
  // An angle a becomes 180 degrees - a: orientation o becomes (4 - o) mod 8.
  for (int o = 0; o < 8; ++o) {
    const at::Tensor difference = tokens.select(4, o) - mirrored.select(4, (12 - o) % 8);
    CHECK(difference.abs().max().item<float>() < 1e-3F);
  }
}

TEST_CASE("dense_rootsift: strided input gives the same") {
  const at::Tensor wide = texture(96, 200);
  const at::Tensor part = wide.slice(1, 30, 158);
  CHECK(dense_rootsift(part, {}).equal(dense_rootsift(part.contiguous(), {})));
  CHECK(dense_rootsift(wide.t(), {}).equal(dense_rootsift(wide.t().contiguous(), {})));
}

TEST_CASE("dense_rootsift: smallest images and wrong input") {
  CHECK(dense_rootsift(texture(8, 8), {}).size(0) == 1);
  CHECK(dense_rootsift(texture(1, 1), {.step_px = 1, .bin_size_px = 1}).abs().max().item<float>() == 0);
  CHECK_THROWS_AS(dense_rootsift(texture(7, 64), {}), imatch::Error);
  CHECK_THROWS_AS(dense_rootsift(texture(64, 64), {.step_px = 0, .bin_size_px = 4}), imatch::Error);
  CHECK_THROWS_AS(dense_rootsift(texture(64, 64).to(at::kDouble), {}), imatch::Error);
  CHECK_THROWS_AS(dense_rootsift(at::zeros({3, 64, 64}), {}), imatch::Error);
}

}  // namespace
