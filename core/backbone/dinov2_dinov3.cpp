// SPDX-License-Identifier: Apache-2.0
#include "backbone/dinov2_dinov3.h"

#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "backbone/dinov2_dinov3_models.h"
#include "backbone/spec.h"
#include "base/device.h"
#include "base/error.h"
#include "base/stop.h"
#include "image/normalize.h"

namespace imatch {
namespace {

c10::ScalarType scalar_type(const std::string& dtype) {
  if (dtype == "bf16") return at::kBFloat16;
  return dtype == "fp16" ? at::kHalf : at::kFloat;
}

Facet facet_named(const std::string& name) {
  if (name == "key") return Facet::kKey;
  if (name == "query") return Facet::kQuery;
  return name == "value" ? Facet::kValue : Facet::kToken;
}

std::size_t default_batch_size(c10::Device device) {
  return device.is_cpu() ? static_cast<std::size_t>(std::clamp(at::get_num_threads() / 4, 1, 32)) : 32;
}

template <std::size_t I>
BackboneKind kind_of() {
  static constexpr const DinoModel& model = kDinoModels[I];
  static constexpr auto parse = [](const Json& options) {
    return parse_options<DinoOptions>(options, std::string(model.alias) + " options");
  };
  const bool second = model.hub.starts_with("dinov2");
  return {std::string(model.alias),
          fmt::format("{} ({}): {} for every {} px, and its class token. Weights: {}.",
                      second ? "DINOv2" : "DINOv3", model.hub, model.is_convnext() ? "a cell" : "a token",
                      model.is_convnext() ? 32 : std::get<VisionTransformerShape>(model.shape).patch_px,
                      model.file),
          describe_options<DinoOptions>(),
          [](const Json& options) { return options_to_json(parse(options)); },
          [](const Json& options) -> std::unique_ptr<Backbone> {
            return std::make_unique<Dino>(model, parse(options));
          }};
}

}  // namespace

Dino::Dino(const DinoModel& model, Options options)
    : model_(model),
      options_(std::move(options)),
      device_(resolve_device(options_.device)),
      dtype_(scalar_type(options_.dtype)) {
  batch_size_ =
      options_.batch_size > 0 ? static_cast<std::size_t>(options_.batch_size) : default_batch_size(device_);
  DinoNetworkRequest request{.weights = options_.weights,
                             .layer = options_.layer,
                             .facet = facet_named(options_.facet),
                             .depth = options_.depth};
  if (request.weights.empty())
    request.weights = find_weights(published_weights(model), options_.weights_root);
  const c10::InferenceMode guard;
  OpenedDinoNetwork opened = open_dino_network(model, request, device_, dtype_);
  network_ = std::move(opened.network);
  sha256_ = std::move(opened.weights_sha256);
  frame_ = {.mode = options_.resize, .image_size_px = options_.image_size, .stride_px = network_->stride()};
}

std::vector<Features> Dino::extract(std::span<const Image* const> images) const {
  const c10::InferenceMode guard;
  std::vector<Features> list(images.size());
  for (const std::vector<std::size_t>& batch : batches_of_one_size(images, frame_, batch_size_)) {
    check_stop();
    std::vector<Image> resized;
    resized.reserve(batch.size());
    for (const std::size_t i : batch) resized.push_back(frame_.resized(*images[i]));
    std::vector<const Image*> pointers;
    for (const Image& image : resized) pointers.push_back(&image);
    const at::Tensor input = normalize(pointers, normalization(model_.normalization)).to(device_, dtype_);

    const TokenGrid grid = network_->forward(input);
    const auto on_cpu = [](const at::Tensor& x) { return x.to(at::kCPU, at::kFloat); };
    const at::Tensor tokens = on_cpu(grid.tokens);
    const at::Tensor globals = on_cpu(grid.globals);
    for (std::size_t n = 0; n < batch.size(); ++n) {
      const Image& image = *images[batch[n]];
      const auto row = static_cast<std::int64_t>(n);
      Features& features = list[batch[n]];
      // Copies: views would keep the class token, the registers and the other images alive.
      features.tokens = tokens[row].clone(at::MemoryFormat::Contiguous);
      features.global = globals[row].clone();
      features.rows = static_cast<int>(grid.rows);
      features.cols = static_cast<int>(grid.cols);
      features.original_from_grid = frame_.original_from_grid(image);
      features.image_width = image.width;
      features.image_height = image.height;
      features.backbone = spec();
    }
  }
  return list;
}

std::string Dino::spec() const {
  Json shaping = options_to_json(options_);
  for (const char* key : {"device", "batch_size"}) shaping.erase(key);
  for (const char* key : {"weights", "weights_root"})
    if (shaping[key] == "") shaping.erase(key);
  if (options_.depth == 0) shaping.erase("depth");
  return format_spec({std::string(model_.alias), shaping});
}

std::vector<BackboneKind> dino_kinds() {
  return []<std::size_t... I>(std::index_sequence<I...>) {
    return std::vector<BackboneKind>{kind_of<I>()...};
  }
  (std::make_index_sequence<std::size(kDinoModels)>());
}

}  // namespace imatch
