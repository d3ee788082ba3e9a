// SPDX-License-Identifier: Apache-2.0
#include "feature/token_colours.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/linalg_eigh.h>
#include <ATen/ops/matmul.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace imatch {
namespace {

constexpr int kChannels = 3;

/// Of one channel, stretched from its 1st to its 99th percentile to 0...255; a constant one is mid-grey.
std::vector<std::uint8_t> stretched(const at::Tensor& values) {
  const double* first = values.const_data_ptr<double>();
  const std::vector<double> list(first, first + values.numel());
  std::vector<double> sorted = list;
  std::ranges::sort(sorted);
  const auto quantile = [&](double q) {
    return sorted[static_cast<std::size_t>(std::lround(q * static_cast<double>(sorted.size() - 1)))];
  };
  const double low = quantile(0.01), high = quantile(0.99);
  std::vector<std::uint8_t> levels;
  for (const double value : list) {
    const double share = high > low ? std::clamp((value - low) / (high - low), 0.0, 1.0) : 0.5;
    levels.push_back(static_cast<std::uint8_t>(std::lround(255 * share)));
  }
  return levels;
}

}  // namespace

std::vector<Image> token_colours(std::span<const Features* const> features) {
  if (features.empty()) throw Error("token_colours: expected at least one Features");
  std::vector<at::Tensor> parts;
  for (const Features* f : features) {
    if (f->tokens.size(1) != features[0]->tokens.size(1))
      throw Error(fmt::format("token_colours: tokens of {} and of {} values; expected one backbone",
                              features[0]->tokens.size(1), f->tokens.size(1)));
    parts.push_back(f->tokens.to(at::kCPU, at::kDouble));
  }
  at::Tensor tokens = at::cat(parts);
  if (!at::isfinite(tokens).all().item<bool>())
    throw Error("token_colours: a token has a value that is NaN or infinite");
  std::vector<std::vector<std::uint8_t>> channels(kChannels, std::vector<std::uint8_t>(tokens.size(0), 128));
  if (tokens.size(0) > 0) {
    tokens = tokens.sub(tokens.mean(0, /*keepdim=*/true));
    const at::Tensor axes = std::get<1>(at::linalg_eigh(at::matmul(tokens.t(), tokens)));  // ascending
    const std::int64_t dim = tokens.size(1);
    for (int c = 0; c < std::min<std::int64_t>(kChannels, dim); ++c) {
      at::Tensor axis = axes.select(1, dim - 1 - c);
      if (axis.select(0, axis.abs().argmax().item<std::int64_t>()).item<double>() < 0) axis = axis.neg();
      channels[c] = stretched(at::matmul(tokens, axis).contiguous());
    }
  }
  std::vector<Image> pictures;
  std::size_t token = 0;
  for (const Features* f : features) {
    Image picture(f->cols, f->rows);
    for (std::size_t i = 0; i < picture.rgb.size(); i += kChannels, ++token)
      for (int c = 0; c < kChannels; ++c) picture.rgb[i + c] = channels[c][token];
    pictures.push_back(std::move(picture));
  }
  return pictures;
}

}  // namespace imatch
