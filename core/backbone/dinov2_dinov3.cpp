// SPDX-License-Identifier: Apache-2.0
#include "backbone/dinov2_dinov3.h"

#include <c10/core/InferenceMode.h>
#include <fmt/format.h>

#include <utility>

#include "backbone/dinov2_dinov3_models.h"
#include "backbone/spec.h"
#include "base/device.h"

namespace imatch {
namespace {

Facet facet_named(const std::string& name) {
  if (name == "key") return Facet::kKey;
  if (name == "query") return Facet::kQuery;
  return name == "value" ? Facet::kValue : Facet::kToken;
}

template <std::size_t I>
BackboneKind dino_kind() {
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
          },
          PublishedModel{published_weights(model), std::string(model.hub), std::string(model.normalization)}};
}

}  // namespace

Dino::Dino(const DinoModel& model, Options options)
    : model_(model),
      options_(std::move(options)),
      input_{.normalization = normalization(model.normalization),
             .device = resolve_device(options_.device),
             .dtype = scalar_type_named(options_.dtype)} {
  input_.batch_size = batch_size_on(input_.device, options_.batch_size);
  TokenNetworkRequest request{.weights = options_.weights,
                              .layer = options_.layer,
                              .facet = facet_named(options_.facet),
                              .depth = options_.depth};
  if (request.weights.empty())
    request.weights = find_weights(published_weights(model), options_.weights_root);
  const c10::InferenceMode guard;
  OpenedTokenNetwork opened = open_dino_network(model, request, input_.device, input_.dtype);
  network_ = std::move(opened.network);
  sha256_ = std::move(opened.weights_sha256);
  input_.frame = {
      .mode = options_.resize, .image_size_px = options_.image_size, .stride_px = network_->stride()};
}

std::vector<Features> Dino::extract(std::span<const Image* const> images) const {
  std::vector<Features> list =
      extract_token_grids(images, input_, [this](const at::Tensor& x) { return network_->forward(x); });
  for (Features& features : list) features.backbone = spec();
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
    return std::vector<BackboneKind>{dino_kind<I>()...};
  }
  (std::make_index_sequence<std::size(kDinoModels)>());
}

}  // namespace imatch
