// SPDX-License-Identifier: Apache-2.0
#include "pointmap/target.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/constant_pad_nd.h>
#include <fmt/format.h>

#include "base/error.h"
#include "raster/sample_file.h"

namespace imatch {

at::Tensor point_map_target(const std::string& path, int layers, int resolution) {
  const at::Tensor dense = dense_sample(read_sample(path));  // H, W, L, 7
  if (dense.size(0) != resolution || dense.size(1) != resolution)
    throw Failure(code::kBadFormat, fmt::format("{}: {} x {} px; expected {} x {}", path, dense.size(1),
                                                dense.size(0), resolution, resolution));
  return point_map_target(dense, layers);
}

at::Tensor point_map_target(at::Tensor dense, int layers) {
  if (dense.size(2) < layers) dense = at::constant_pad_nd(dense, {0, 0, 0, layers - dense.size(2)});
  return dense.narrow(2, 0, layers).permute({2, 3, 0, 1}).reshape({7 * layers, dense.size(0), dense.size(1)});
}

}  // namespace imatch
