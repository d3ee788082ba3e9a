// SPDX-License-Identifier: Apache-2.0
#include "backbone/dense_sift.h"

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <fmt/format.h>

#include "backbone/spec.h"
#include "base/error.h"
#include "base/stop.h"

namespace imatch {
namespace {

/// Luma of ITU-R BT.601, [H, W] float32 in levels; of an image, or of samples [3, H, W] in [0, 1].
at::Tensor luma(const Image& image) {
  at::Tensor grey = at::empty({image.height, image.width}, at::kFloat);
  float* const levels = grey.mutable_data_ptr<float>();
  at::parallel_for(0, grey.numel(), 1 << 15, [&](std::int64_t first, std::int64_t last) {
    const std::uint8_t* pixel = image.rgb.data() + 3 * first;
    for (std::int64_t i = first; i < last; ++i, pixel += 3)
      levels[i] = 0.299F * pixel[0] + 0.587F * pixel[1] + 0.114F * pixel[2];
  });
  return grey;
}

at::Tensor luma(const at::Tensor& samples) {
  return (samples[0] * 0.299F + samples[1] * 0.587F + samples[2] * 0.114F) * 255;
}

}  // namespace

DenseSift::DenseSift(Options options)
    : options_(std::move(options)), frame_(frame_of(options_, options_.step)) {
  if (options_.step > options_.image_size)
    throw Error(
        fmt::format("dense_sift options: step: {} is not allowed with image_size {}; expected at most that",
                    options_.step, options_.image_size));
}

std::vector<Features> DenseSift::extract(std::span<const Image* const> images) const {
  const at::NoGradGuard no_gradients;
  std::vector<Features> list;
  list.reserve(images.size());
  for (const Image* image : images) {
    check_stop();
    const at::Tensor grey =
        frame_.arithmetic == "float" ? luma(frame_.resized_samples(*image)) : luma(frame_.resized(*image));
    Features features;
    features.tokens = dense_rootsift(grey, {.step_px = options_.step, .bin_size_px = options_.bin_size});
    features.global = pool_tokens(features.tokens, options_.global);
    features.rows = static_cast<int>(grey.size(0)) / options_.step;
    features.cols = static_cast<int>(grey.size(1)) / options_.step;
    features.original_from_grid = frame_.original_from_grid(*image);
    features.image_width = image->width;
    features.image_height = image->height;
    features.backbone = spec();
    list.push_back(std::move(features));
  }
  return list;
}

std::string DenseSift::spec() const {
  return format_spec({kName, options_to_json(options_)});
}

}  // namespace imatch
