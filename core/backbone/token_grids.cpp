// SPDX-License-Identifier: Apache-2.0
#include "backbone/token_grids.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>

#include "base/stop.h"

namespace imatch {
namespace {

/// The images of one batch, resized and normalised: [N, 3, H, W] on the device.
at::Tensor network_input(std::span<const Image* const> images, const std::vector<std::size_t>& batch,
                         const TokenGridSettings& settings) {
  std::vector<Image> resized;
  resized.reserve(batch.size());
  for (const std::size_t i : batch) resized.push_back(settings.frame.resized(*images[i]));
  std::vector<const Image*> pointers;
  for (const Image& image : resized) pointers.push_back(&image);
  return normalize(pointers, settings.normalization).to(settings.device, settings.dtype);
}

}  // namespace

std::vector<Features> extract_token_grids(std::span<const Image* const> images,
                                          const TokenGridSettings& settings,
                                          const std::function<TokenGrid(const at::Tensor&)>& forward) {
  const c10::InferenceMode guard;
  std::vector<Features> list(images.size());
  for (const std::vector<std::size_t>& batch :
       batches_of_one_size(images, settings.frame, settings.batch_size)) {
    check_stop();
    const TokenGrid grid = forward(network_input(images, batch, settings));
    const at::Tensor tokens = grid.tokens.to(at::kCPU, at::kFloat);
    const at::Tensor globals = grid.globals.to(at::kCPU, at::kFloat);
    for (std::size_t n = 0; n < batch.size(); ++n) {
      const Image& image = *images[batch[n]];
      const auto row = static_cast<std::int64_t>(n);
      Features& features = list[batch[n]];
      // Copies: views would keep the tokens that are no patches and the other images alive.
      features.tokens = tokens[row].clone(at::MemoryFormat::Contiguous);
      features.global = globals[row].clone();
      features.rows = static_cast<int>(grid.rows);
      features.cols = static_cast<int>(grid.cols);
      features.original_from_grid = settings.frame.original_from_grid(image);
      features.image_width = image.width;
      features.image_height = image.height;
    }
  }
  return list;
}

at::Tensor extract_logits(std::span<const Image* const> images, const TokenGridSettings& settings,
                          std::int64_t classes, const std::function<at::Tensor(const at::Tensor&)>& forward) {
  const c10::InferenceMode guard;
  at::Tensor all = at::empty({static_cast<std::int64_t>(images.size()), classes}, at::kFloat);
  for (const std::vector<std::size_t>& batch :
       batches_of_one_size(images, settings.frame, settings.batch_size)) {
    check_stop();
    const at::Tensor scores = forward(network_input(images, batch, settings)).to(at::kCPU, at::kFloat);
    for (std::size_t n = 0; n < batch.size(); ++n)
      all[static_cast<std::int64_t>(batch[n])].copy_(scores[static_cast<std::int64_t>(n)]);
  }
  return all;
}

c10::ScalarType scalar_type_named(const std::string& dtype) {
  if (dtype == "bf16") return at::kBFloat16;
  return dtype == "fp16" ? at::kHalf : at::kFloat;
}

std::size_t batch_size_on(c10::Device device, int asked) {
  if (asked > 0) return static_cast<std::size_t>(asked);
  return device.is_cpu() ? static_cast<std::size_t>(std::clamp(at::get_num_threads() / 4, 1, 32)) : 32;
}

}  // namespace imatch
