// SPDX-License-Identifier: Apache-2.0
#include "anomaly/scorer.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/stack.h>
#include <fmt/format.h>

#include <algorithm>

#include "anomaly/anomaly_map.h"
#include "anomaly/patch_features.h"
#include "backbone/network_backbone.h"
#include "backbone/spec.h"
#include "base/error.h"

namespace imatch {

AnomalyInputs anomaly_views(const Image& image, const AnomalyModelConfig& config,
                            const std::optional<InspectedRegion>& region) {
  AnomalyInputs inputs{.rect = {0, 0, image.width, image.height}, .views = {}, .tensor = {}};
  if (region) {
    const std::optional<RegionMatch> match = find_region(image, region->template_image);
    inputs.correlation = match ? match->correlation : -1;
    inputs.found = match && match->correlation >= region->threshold;
    if (!inputs.found) return inputs;
    inputs.rect = match->rect;
  }
  if (config.method.crop == "centre")
    inputs.rect = centre_of(inputs.rect, config.image_height, config.image_width, 224.0 / 256);
  inputs.views = views_of(inputs.rect.width, inputs.rect.height, config.tile_px, config.overlap);
  return inputs;
}

AnomalyInputs anomaly_inputs(const Image& image, const AnomalyModelConfig& config,
                             const std::optional<InspectedRegion>& region, const Normalization& by) {
  AnomalyInputs inputs = anomaly_views(image, config, region);
  if (!inputs.found) return inputs;
  std::vector<at::Tensor> tensors;
  for (const PixelRect& view : inputs.views) {
    const PixelRect place{inputs.rect.x + view.x, inputs.rect.y + view.y, view.width, view.height};
    const bool whole = place.width == image.width && place.height == image.height;
    tensors.push_back(
        network_input(whole ? image : cropped(image, place), config.image_height, config.image_width, by));
  }
  inputs.tensor = at::stack(tensors);
  return inputs;
}

ImageScore joined_score(const AnomalyInputs& inputs, const at::Tensor& scores, const at::Tensor& maps) {
  ImageScore joined;
  joined.correlation = inputs.correlation;
  joined.rect = inputs.rect;
  joined.score = scores.max().item<float>();
  if (inputs.views.size() == 1) {
    joined.map = maps[0][0];
    return joined;
  }
  std::vector<at::Tensor> of_views;
  for (std::int64_t i = 0; i < maps.size(0); ++i) of_views.push_back(maps.narrow(0, i, 1));
  joined.map = stitched(of_views, inputs.views, inputs.rect.width, inputs.rect.height);
  return joined;
}

ImageScore region_missing(double correlation) {
  ImageScore score;
  score.found = false;
  score.correlation = correlation;
  return score;
}

std::shared_ptr<const Backbone> open_anomaly_backbone(const std::string& spec, const std::string& device) {
  // Not every kind chooses its device: users' networks run where their library does.
  const BackboneKind& kind = backbone_kind_of(parse_spec(spec).name);
  const bool takes_device = std::ranges::find(kind.options, "device", &FieldInfo::name) != kind.options.end();
  std::shared_ptr<const Backbone> backbone =
      open_backbone(spec, takes_device ? Json{{"device", device}} : Json::object());
  if (!backbone->as_network())
    throw Error(fmt::format("PatchCore: backbone '{}' is no network; expected one with feature maps", spec));
  return backbone;
}

at::Tensor anomaly_features(const Backbone& backbone, const at::Tensor& inputs,
                            const PatchCoreMethod& method) {
  const NetworkBackbone& network = *backbone.as_network();
  std::vector<at::Tensor> maps;
  for (LayerOutput& layer :
       network.network().forward(inputs.to(network.input().device, network.input().dtype)))
    maps.push_back(std::move(layer.map));
  return patch_features(maps, method);
}

const Normalization& anomaly_normalization(const Backbone& backbone) {
  return backbone.as_network()->input().normalization;
}

AnomalyScorer::AnomalyScorer(const AnomalyModel& model, std::shared_ptr<const Backbone> backbone,
                             const std::string& search)
    : config_(model.config),
      region_(model.region),
      backbone_(std::move(backbone)),
      bank_(model.bank, model.config.method, search, backbone_->as_network()->input().device.str()) {
  if (backbone_->weights_sha256() != config_.weights_sha256)
    throw Failure(code::kBadWeights,
                  fmt::format("model '{}': the weights of {} have the SHA-256 {}; it was trained with {}",
                              config_.pattern_name, backbone_->spec(), backbone_->weights_sha256(),
                              config_.weights_sha256));
}

AnomalyInputs AnomalyScorer::inputs(const Image& image) const {
  return anomaly_inputs(image, config_, region_, anomaly_normalization(*backbone_));
}

at::Tensor AnomalyScorer::features(const Image& image) const {
  const at::NoGradGuard no_gradients;
  const AnomalyInputs views = inputs(image);
  if (!views.found) return at::empty({0, bank_.rows().size(1), 0, 0}, at::kFloat);
  return anomaly_features(*backbone_, views.tensor, config_.method).to(at::kCPU, at::kFloat).contiguous();
}

std::pair<at::Tensor, at::Tensor> AnomalyScorer::score_inputs(const at::Tensor& inputs) const {
  const at::NoGradGuard no_gradients;
  const PatchScores scores = bank_.score(anomaly_features(*backbone_, inputs, config_.method));
  return {scores.images,
          anomaly_maps(scores.patches, config_.image_height, config_.image_width, config_.method)};
}

ImageScore AnomalyScorer::score(const Image& image) const {
  const AnomalyInputs views = inputs(image);
  if (!views.found) return region_missing(views.correlation);
  const auto [scores, maps] = score_inputs(views.tensor);
  return joined_score(views, scores, maps);
}

}  // namespace imatch
