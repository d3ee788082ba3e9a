// SPDX-License-Identifier: Apache-2.0
#include "backbone/network_input.h"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cstdint>
#include <stdexcept>

#include "nn/device_batches.h"
#include "nn/fused.h"

namespace imatch {
namespace {

/// The same in float arithmetic, where there are no samples of 8 bits in between.
at::Tensor float_batch_input(std::span<const Image* const> images, const std::vector<std::size_t>& batch,
                             const NetworkInput& input) {
  const ImageSize size = input.frame.size_of(*images[batch.front()]);
  at::Tensor result =
      at::empty({static_cast<std::int64_t>(batch.size()), 3, size.height, size.width}, at::kFloat);
  for (std::size_t n = 0; n < batch.size(); ++n)
    result[static_cast<std::int64_t>(n)].copy_(input.frame.resized_samples(*images[batch[n]]));
  for (std::int64_t c = 0; c < 3; ++c) {
    const auto channel = static_cast<std::size_t>(c);
    result.select(1, c).sub_(input.normalization.mean[channel]).div_(input.normalization.std[channel]);
  }
  return result;
}

/// The samples of one batch, resized, as a GPU gets them: [N, H, W, 3] uint8, in memory that it can read
/// itself.
at::Tensor batch_samples(std::span<const Image* const> images, const std::vector<std::size_t>& batch,
                         const NetworkInput& input) {
  const ImageSize size = input.frame.size_of(*images[batch.front()]);
  const at::Tensor samples = at::empty({static_cast<std::int64_t>(batch.size()), size.height, size.width, 3},
                                       at::TensorOptions(at::kByte).pinned_memory(true));
  auto* to = samples.mutable_data_ptr<std::uint8_t>();
  for (const std::size_t i : batch) {
    const Image resized = input.frame.resized(*images[i]);
    if (resized.width != size.width || resized.height != size.height)
      throw std::logic_error("batch_samples: a batch has one size");
    to = std::ranges::copy(resized.rgb, to).out;
  }
  return samples;
}

/// The images of one batch, resized and normalised: [N, 3, H, W] on the CPU.
at::Tensor batch_input(std::span<const Image* const> images, const std::vector<std::size_t>& batch,
                       const NetworkInput& input) {
  if (input.frame.arithmetic == "float") return float_batch_input(images, batch, input);
  std::vector<Image> resized;
  resized.reserve(batch.size());
  for (const std::size_t i : batch) resized.push_back(input.frame.resized(*images[i]));
  std::vector<const Image*> pointers;
  for (const Image& image : resized) pointers.push_back(&image);
  return normalize(pointers, input.normalization);
}

}  // namespace

void forward_images(std::span<const Image* const> images, const NetworkInput& input,
                    const std::function<std::vector<at::Tensor>(const at::Tensor&)>& forward,
                    const std::function<void(std::size_t, const std::vector<at::Tensor>&)>& take) {
  const at::NoGradGuard no_gradients;
  const auto batches = batches_of_one_size(images, input.frame, input.batch_size);
  // What is resized in float arithmetic has no samples of 8 bits that could be sent instead.
  const bool as_samples = !input.device.is_cpu() && input.frame.arithmetic != "float";
  run_batches(
      batches.size(), input.device, input.dtype,
      [&](std::size_t b) {
        return as_samples ? batch_samples(images, batches[b], input) : batch_input(images, batches[b], input);
      },
      [&](const at::Tensor& x) {
        return forward(as_samples ? fused::normalized_pixels(x, input.normalization.mean,
                                                             input.normalization.std, input.dtype)
                                  : x);
      },
      [&](std::size_t b, const std::vector<at::Tensor>& outputs) {
        for (std::size_t n = 0; n < batches[b].size(); ++n) {
          std::vector<at::Tensor> share;
          for (const at::Tensor& output : outputs) share.push_back(output[static_cast<std::int64_t>(n)]);
          take(batches[b][n], share);
        }
      });
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
