// SPDX-License-Identifier: Apache-2.0
#include "backbone/efficientnet_lite.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <c10/core/InferenceMode.h>
#include <fmt/format.h>

#include <algorithm>

#include "backbone/spec.h"
#include "base/device.h"
#include "base/error.h"
#include "base/resources.h"
#include "base/sha256.h"
#include "base/stop.h"
#include "image/normalize.h"

namespace imatch {
namespace {

constexpr const char* kWeightsFile = "efficientnet-lite0-57934424.pth";
constexpr const char* kWeightsSha256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db";

/// MEAN_RGB and STDDEV_RGB of TensorFlow's efficientnet_lite_builder.py.
constexpr float kMean = 127.0F / 255;
constexpr float kStd = 128.0F / 255;
constexpr Normalization kNormalization{{kMean, kMean, kMean}, {kStd, kStd, kStd}};

c10::ScalarType scalar_type(const std::string& dtype) {
  if (dtype == "bf16") return at::kBFloat16;
  return dtype == "fp16" ? at::kHalf : at::kFloat;
}

std::size_t default_batch_size(c10::Device device) {
  return device.is_cpu() ? static_cast<std::size_t>(std::clamp(at::get_num_threads() / 4, 1, 32)) : 32;
}

}  // namespace

EfficientNetLite::EfficientNetLite(Options options)
    : options_(std::move(options)),
      frame_{.mode = options_.resize, .image_size_px = options_.image_size, .stride_px = options_.stage},
      device_(resolve_device(options_.device)),
      dtype_(scalar_type(options_.dtype)) {
  if (options_.stage != 8 && options_.stage != 16 && options_.stage != 32)
    throw Error(
        fmt::format("{} options: stage: {} is not allowed; expected 8, 16 or 32", kName, options_.stage));
  batch_size_ =
      options_.batch_size > 0 ? static_cast<std::size_t>(options_.batch_size) : default_batch_size(device_);

  const bool shipped = options_.weights.empty();
  const std::string path = shipped ? resource_folder("weights") + "/" + kWeightsFile : options_.weights;
  sha256_ = sha256_file(path);
  if (shipped && sha256_ != kWeightsSha256)
    throw Failure(code::kBadWeights, fmt::format("{}: the SHA-256 is {}; expected {}: the file is damaged",
                                                 path, sha256_, kWeightsSha256));
  const c10::InferenceMode guard;
  network_.emplace(load_state_dict(path), device_, dtype_);
}

at::Tensor EfficientNetLite::input(std::span<const Image* const> images,
                                   const std::vector<std::size_t>& batch) const {
  std::vector<Image> resized;
  resized.reserve(batch.size());
  for (const std::size_t i : batch) resized.push_back(frame_.resized(*images[i]));
  std::vector<const Image*> pointers;
  for (const Image& image : resized) pointers.push_back(&image);
  return normalize(pointers, kNormalization).to(device_, dtype_);
}

std::vector<Features> EfficientNetLite::extract(std::span<const Image* const> images) const {
  const c10::InferenceMode guard;
  std::vector<Features> list(images.size());
  for (const std::vector<std::size_t>& batch : batches_of_one_size(images, frame_, batch_size_)) {
    check_stop();
    const at::Tensor map = network_->stage(input(images, batch), options_.stage);  // [N, C, rows, cols]
    const at::Tensor tokens = map.permute({0, 2, 3, 1}).flatten(1, 2).to(at::kCPU, at::kFloat).contiguous();
    const at::Tensor globals = pool_tokens(tokens, options_.global);
    for (std::size_t n = 0; n < batch.size(); ++n) {
      const Image& image = *images[batch[n]];
      const auto row = static_cast<std::int64_t>(n);
      Features& features = list[batch[n]];
      // Copies where the batch is shared: one image's features must not keep the others' alive.
      features.tokens = batch.size() == 1 ? tokens[row] : tokens[row].clone();
      features.global = batch.size() == 1 ? globals[row] : globals[row].clone();
      features.rows = static_cast<int>(map.size(2));
      features.cols = static_cast<int>(map.size(3));
      features.original_from_grid = frame_.original_from_grid(image);
      features.image_width = image.width;
      features.image_height = image.height;
      features.backbone = spec();
    }
  }
  return list;
}

at::Tensor EfficientNetLite::logits(std::span<const Image* const> images) const {
  const c10::InferenceMode guard;
  at::Tensor all = at::empty({static_cast<std::int64_t>(images.size()), 1000}, at::kFloat);
  for (const std::vector<std::size_t>& batch : batches_of_one_size(images, frame_, batch_size_)) {
    check_stop();
    const at::Tensor scores = network_->logits(input(images, batch)).to(at::kCPU, at::kFloat);
    for (std::size_t n = 0; n < batch.size(); ++n)
      all[static_cast<std::int64_t>(batch[n])].copy_(scores[static_cast<std::int64_t>(n)]);
  }
  return all;
}

std::string EfficientNetLite::spec() const {
  Json shaping = options_to_json(options_);
  shaping.erase("device");
  shaping.erase("batch_size");
  if (options_.weights.empty()) shaping.erase("weights");
  return format_spec({kName, shaping});
}

}  // namespace imatch
