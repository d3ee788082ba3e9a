// SPDX-License-Identifier: Apache-2.0
#include "backbone/token_grids.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <utility>

#include "nn/device_batches.h"

namespace imatch {
namespace {

/// The images of one batch, resized and normalised: [N, 3, H, W] on the CPU.
at::Tensor network_input(std::span<const Image* const> images, const std::vector<std::size_t>& batch,
                         const TokenGridSettings& settings) {
  std::vector<Image> resized;
  resized.reserve(batch.size());
  for (const std::size_t i : batch) resized.push_back(settings.frame.resized(*images[i]));
  std::vector<const Image*> pointers;
  for (const Image& image : resized) pointers.push_back(&image);
  return normalize(pointers, settings.normalization);
}

}  // namespace

std::vector<Features> extract_token_grids(std::span<const Image* const> images,
                                          const TokenGridSettings& settings,
                                          const std::function<TokenGrid(const at::Tensor&)>& forward) {
  const c10::InferenceMode guard;
  std::vector<Features> list(images.size());
  const auto batches = batches_of_one_size(images, settings.frame, settings.batch_size);
  std::vector<std::pair<std::int64_t, std::int64_t>> grid_sizes;  // rows and columns of each batch
  const auto input = [&](std::size_t b) { return network_input(images, batches[b], settings); };
  const auto tokens_and_globals = [&](const at::Tensor& x) {
    const TokenGrid grid = forward(x);
    grid_sizes.emplace_back(grid.rows, grid.cols);
    return std::vector<at::Tensor>{grid.tokens, grid.globals};
  };
  const auto output = [&](std::size_t b, const std::vector<at::Tensor>& tensors) {
    for (std::size_t n = 0; n < batches[b].size(); ++n) {
      const Image& image = *images[batches[b][n]];
      const auto row = static_cast<std::int64_t>(n);
      Features& features = list[batches[b][n]];
      // Copies: views would keep the tokens that are no patches and the other images alive.
      features.tokens = tensors[0][row].clone(at::MemoryFormat::Contiguous);
      features.global = tensors[1][row].clone();
      features.rows = static_cast<int>(grid_sizes[b].first);
      features.cols = static_cast<int>(grid_sizes[b].second);
      features.original_from_grid = settings.frame.original_from_grid(image);
      features.image_width = image.width;
      features.image_height = image.height;
    }
  };
  run_batches(batches.size(), settings.device, settings.dtype, input, tokens_and_globals, output);
  return list;
}

at::Tensor extract_logits(std::span<const Image* const> images, const TokenGridSettings& settings,
                          std::int64_t classes, const std::function<at::Tensor(const at::Tensor&)>& forward) {
  const c10::InferenceMode guard;
  at::Tensor all = at::empty({static_cast<std::int64_t>(images.size()), classes}, at::kFloat);
  const auto batches = batches_of_one_size(images, settings.frame, settings.batch_size);
  run_batches(
      batches.size(), settings.device, settings.dtype,
      [&](std::size_t b) { return network_input(images, batches[b], settings); },
      [&](const at::Tensor& x) { return std::vector<at::Tensor>{forward(x)}; },
      [&](std::size_t b, const std::vector<at::Tensor>& scores) {
        for (std::size_t n = 0; n < batches[b].size(); ++n)
          all[static_cast<std::int64_t>(batches[b][n])].copy_(scores[0][static_cast<std::int64_t>(n)]);
      });
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
