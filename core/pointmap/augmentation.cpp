// SPDX-License-Identifier: Apache-2.0
#include "pointmap/augmentation.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/upsample_bicubic2d.h>
#include <ATen/ops/upsample_nearest2d.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "base/error.h"

namespace imatch {
namespace {

constexpr double kAsymmetry = 0.1;

class Draw {
 public:
  explicit Draw(std::uint64_t seed) : random_(seed) {}
  /// std::uniform_real_distribution gives other numbers with other libraries.
  double uniform(double low, double high) {
    return low + (high - low) * static_cast<double>(random_() >> 11) * 0x1.0p-53;
  }

 private:
  std::mt19937_64 random_;
};

std::int64_t axis_of(const std::string& flip) {
  return flip[0] - 'x';
}

void change_colours(at::Tensor& features, double most, Draw& draw) {
  const double contrast = draw.uniform(1 - most, 1 + most), brightness = draw.uniform(-most, most) / 2;
  const at::Tensor mean = features.mean();
  features = (features - mean) * contrast + mean + brightness;
  for (std::int64_t c = 0; c < features.size(0); ++c) features[c].mul_(draw.uniform(1 - most, 1 + most));
  features.clamp_(0, 1);
}

void crop(PointMapInput& input, at::Tensor& target, double most, Draw& draw) {
  const std::int64_t side = target.size(1);
  const auto part = std::max<std::int64_t>(
      8, static_cast<std::int64_t>(std::lround(static_cast<double>(side) * draw.uniform(1 - most, 1))));
  const auto offset = [&] {
    return static_cast<std::int64_t>(draw.uniform(0, static_cast<double>(side - part) + 1));
  };
  const std::int64_t top = std::min(offset(), side - part), left = std::min(offset(), side - part);
  const auto window = [&](const at::Tensor& map) {
    return map.narrow(1, top, part).narrow(2, left, part).unsqueeze(0);
  };
  const auto nearest = [&](const at::Tensor& map) {
    return at::upsample_nearest2d(window(map), {side, side}).squeeze(0);
  };
  input.features = at::upsample_bicubic2d(window(input.features), {side, side}, false).squeeze(0);
  input.mask = nearest(input.mask.unsqueeze(0)).squeeze(0);
  target = nearest(target);
}

void mirror(PointMapInput& input, at::Tensor& target, const std::string& flip) {
  input.features = input.features.flip({2});
  input.mask = input.mask.flip({1});
  target = target.flip({2}).contiguous();
  at::Tensor maps = target.view({-1, 7, target.size(1), target.size(2)});
  maps.select(1, axis_of(flip)).neg_();
  maps.select(1, 3).neg_();
}

}  // namespace

void augment(PointMapInput& input, at::Tensor& target, const PointMapAugmentation& how, std::uint64_t seed) {
  if (how.is_off()) return;
  Draw draw(seed);
  if (how.colour > 0) change_colours(input.features, how.colour, draw);
  if (how.crop > 0) crop(input, target, how.crop, draw);
  if (!how.flip.empty() && draw.uniform(0, 1) < 0.5) mirror(input, target, how.flip);
  input.features = input.features * input.mask;
  if (how.background == 0 || draw.uniform(0, 1) >= how.background) return;
  const at::Tensor outside = 1 - input.mask;
  for (std::int64_t c = 0; c < input.features.size(0); ++c) {
    at::Tensor channel = input.features[c];
    const double value = draw.uniform(channel.min().item<double>(), channel.max().item<double>());
    channel.add_(outside, value);
  }
}

void require_symmetry(const std::vector<at::Tensor>& targets, const std::string& flip) {
  if (flip.empty()) return;
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (const at::Tensor& target : targets) {
    const at::Tensor maps = target.reshape({-1, 7, target.size(1), target.size(2)});
    const at::Tensor values = maps.select(1, axis_of(flip)).masked_select(maps.select(1, 6).gt(0.5));
    if (values.numel() == 0) continue;
    low = std::min(low, values.min().item<double>());
    high = std::max(high, values.max().item<double>());
  }
  if (std::abs(low + high) > kAsymmetry * (high - low))
    throw Error(
        fmt::format("augmentation: flip '{}': canonical points reach from {:.3g} to {:.3g} along it, which "
                    "is not symmetric about 0",
                    flip, low, high));
}

}  // namespace imatch
