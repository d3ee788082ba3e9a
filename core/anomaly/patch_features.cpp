// SPDX-License-Identifier: Apache-2.0
#include "anomaly/patch_features.h"

#include <ATen/ops/adaptive_avg_pool1d.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/im2col.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/upsample_bilinear2d.h>
#include <fmt/format.h>

#include <array>
#include <numeric>
#include <vector>

#include "base/error.h"

namespace imatch {
namespace {

using Pair = std::array<std::int64_t, 2>;

at::Tensor on_grid_of(const at::Tensor& map, const at::Tensor& first) {
  if (map.size(2) == first.size(2) && map.size(3) == first.size(3)) return map;
  return at::upsample_bilinear2d(map, {first.size(2), first.size(3)}, /*align_corners=*/false);
}

/// [N, C, H, W] -> [N * H * W, C * side * side]: of each cell its channels' neighbourhoods, one behind the
/// other.
at::Tensor neighbourhoods(const at::Tensor& map, std::int64_t side) {
  const at::Tensor columns =
      at::im2col(map, Pair{side, side}, Pair{1, 1}, Pair{side / 2, side / 2}, Pair{1, 1});
  return columns.permute({0, 2, 1}).reshape({-1, map.size(1) * side * side});
}

at::Tensor averaged_to(const at::Tensor& rows, std::int64_t dims) {
  return at::adaptive_avg_pool1d(rows.unsqueeze(1), {dims}).squeeze(1);
}

}  // namespace

at::Tensor patch_features(std::span<const at::Tensor> layers, const PatchCoreMethod& method) {
  if (layers.empty()) throw Error("PatchCore features: no layer is given; expected one or more");
  const at::Tensor& first = layers.front();
  for (const at::Tensor& layer : layers)
    if (layer.dim() != 4 || layer.size(0) != first.size(0))
      throw Error(
          fmt::format("PatchCore features: a layer of {} dimensions for {} images; expected [N, C, H, W] "
                      "of {} images, as the first",
                      layer.dim(), layer.dim() ? layer.size(0) : 0, first.size(0)));
  const std::int64_t side = method.patch_size;
  std::vector<at::Tensor> parts;
  if (method.pooling == "average") {
    for (const at::Tensor& layer : layers)
      parts.push_back(on_grid_of(at::avg_pool2d(layer.to(at::kFloat), Pair{side, side}, Pair{1, 1},
                                                Pair{side / 2, side / 2}, /*ceil_mode=*/false,
                                                /*count_include_pad=*/true),
                                 first));
    return at::cat(parts, 1);
  }
  // Taking neighbourhoods and enlarging act on different axes of a linear map only for one order of the two:
  // the neighbourhood is taken on the layer's own grid.
  for (const at::Tensor& layer : layers) {
    const at::Tensor cells = neighbourhoods(layer.to(at::kFloat), side);
    const at::Tensor grid =
        cells.view({layer.size(0), layer.size(2), layer.size(3), -1}).permute({0, 3, 1, 2});
    parts.push_back(averaged_to(patch_rows(on_grid_of(grid, first)), method.layer_dims));
  }
  const at::Tensor rows = averaged_to(at::stack(parts, 1).flatten(1), method.dims);
  return rows.view({first.size(0), first.size(2), first.size(3), method.dims}).permute({0, 3, 1, 2});
}

at::Tensor patch_rows(const at::Tensor& features) {
  return features.permute({0, 2, 3, 1}).reshape({-1, features.size(1)});
}

std::int64_t patch_dims(std::span<const std::int64_t> channels, const PatchCoreMethod& method) {
  if (method.pooling == "adaptive") return method.dims;
  return std::accumulate(channels.begin(), channels.end(), std::int64_t{0});
}

}  // namespace imatch
