// SPDX-License-Identifier: Apache-2.0
#include "pointmap/map_picture.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>

#include <algorithm>

namespace imatch {

Image map_picture(const at::Tensor& output, const at::Tensor& target) {
  const at::Tensor wanted = target.narrow(1, 0, 3), occupied = target.narrow(1, 6, 1).gt(0.5).to(at::kFloat);
  const at::Tensor low = (wanted * occupied).amin({0, 2, 3}, true),
                   high = (wanted * occupied).amax({0, 2, 3}, true);
  const auto row = [&](const at::Tensor& map) {
    const at::Tensor colours = ((map - low) / (high - low).clamp_min(1e-9)).clamp(0, 1) * 255 * occupied;
    return colours.permute({2, 0, 3, 1}).reshape({map.size(2), map.size(0) * map.size(3), 3});
  };
  const at::Tensor pixels =
      at::cat({row(output.narrow(1, 0, 3).to(at::kFloat)), row(wanted)}).round().to(at::kByte).contiguous();
  Image image(static_cast<int>(pixels.size(1)), static_cast<int>(pixels.size(0)));
  std::copy_n(pixels.const_data_ptr<std::uint8_t>(), image.rgb.size(), image.rgb.begin());
  return image;
}

}  // namespace imatch
