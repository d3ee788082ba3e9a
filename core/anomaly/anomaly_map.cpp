// SPDX-License-Identifier: Apache-2.0
#include "anomaly/anomaly_map.h"

#include <ATen/ops/conv2d.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/upsample_bilinear2d.h>
#include <ATen/ops/upsample_nearest2d.h>
#include <fmt/format.h>

#include <cmath>
#include <numeric>

#include "base/error.h"

namespace imatch {
namespace {

/// The map continued by `reach` on both sides of an axis, mirrored at the outermost element or behind it.
at::Tensor mirrored(const at::Tensor& map, std::int64_t axis, std::int64_t reach, bool repeat_edge) {
  const std::int64_t length = map.size(axis);
  const std::int64_t over = repeat_edge ? 1 : 0;
  if (length < reach + 1 - over)
    throw Error(
        fmt::format("anomaly map: {} px along an axis are too few; expected {} or more for a blur that "
                    "reaches {} px",
                    length, reach + 1 - over, reach));
  std::vector<std::int64_t> from;
  for (std::int64_t i = -reach; i < length + reach; ++i)
    from.push_back(i < 0 ? -i - over : i >= length ? 2 * length - 2 + over - i : i);
  return map.index_select(axis, at::tensor(from, map.options().dtype(at::kLong)));
}

}  // namespace

std::vector<double> gaussian_taps(double sigma) {
  const int reach = static_cast<int>(4 * sigma + 0.5);
  std::vector<double> taps;
  for (int i = -reach; i <= reach; ++i) taps.push_back(std::exp(-0.5 * i * i / (sigma * sigma)));
  const double sum = std::accumulate(taps.begin(), taps.end(), 0.0);
  for (double& tap : taps) tap /= sum;
  return taps;
}

at::Tensor anomaly_maps(const at::Tensor& patches, std::int64_t height, std::int64_t width,
                        const PatchCoreMethod& method) {
  const at::Tensor scores = patches.to(at::kFloat);
  at::Tensor map = method.upsampling == "bilinear"
                       ? at::upsample_bilinear2d(scores, {height, width}, /*align_corners=*/false)
                       : at::upsample_nearest2d(scores, {height, width});
  if (method.blur_sigma_px <= 0) return map;
  const std::vector<double> taps = gaussian_taps(method.blur_sigma_px);
  const auto count = static_cast<std::int64_t>(taps.size());
  const at::Tensor weights = at::tensor(taps, map.options());
  for (const std::int64_t axis : {2, 3}) {
    map = mirrored(map, axis, count / 2, method.blur_border == "symmetric");
    map = at::conv2d(map, axis == 2 ? weights.view({1, 1, count, 1}) : weights.view({1, 1, 1, count}));
  }
  return map;
}

}  // namespace imatch
