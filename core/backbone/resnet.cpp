// SPDX-License-Identifier: Apache-2.0
#include "backbone/resnet.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/upsample_bilinear2d.h>
#include <c10/core/InferenceMode.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string_view>
#include <utility>

#include "backbone/spec.h"
#include "backbone/weights_search.h"
#include "base/device.h"
#include "base/error.h"
#include "base/sha256.h"

namespace imatch {

struct ResNetModel {
  std::string_view name;
  std::array<std::string_view, 2> files;  ///< torchvision's, of the first and the second training recipe.
  ResNetShape shape;
};

namespace {

constexpr ResNetModel kModels[] = {
    {"resnet18", {"resnet18-f37072fd.pth"}, {}},
    {"resnet50",
     {"resnet50-0676ba61.pth", "resnet50-11ad3fa6.pth"},
     {.depths = {3, 4, 6, 3}, .bottleneck = true}},
    {"wide_resnet50_2",
     {"wide_resnet50_2-95faca4d.pth", "wide_resnet50_2-32ee1156.pth"},
     {.depths = {3, 4, 6, 3}, .bottleneck = true, .width_of_64 = 128}},
};

PublishedWeights published_weights(const ResNetModel& model) {
  PublishedWeights wanted{.model = std::string(model.name),
                          .files = {},
                          .source = "https://download.pytorch.org/models/" + std::string(model.files[0])};
  for (const std::string_view file : model.files)
    if (!file.empty()) wanted.files.emplace_back(file);
  return wanted;
}

std::vector<int> layer_numbers(const ResNetModel& model, const std::vector<std::string>& names) {
  std::vector<int> numbers;
  for (const std::string& name : names) numbers.push_back(name.back() - '1');
  std::ranges::sort(numbers);
  if (numbers.empty() || std::ranges::adjacent_find(numbers) != numbers.end())
    throw Error(fmt::format("{} options: layers: expected one or more different layers", model.name));
  return numbers;
}

template <std::size_t I>
BackboneKind resnet_kind() {
  static constexpr const ResNetModel& model = kModels[I];
  static constexpr auto parse = [](const Json& options) {
    return parse_options<ResNetOptions>(options, std::string(model.name) + " options");
  };
  return {std::string(model.name),
          fmt::format("{} trained on ImageNet: feature maps at 4, 8, 16 and 32 px. Weights: {}.", model.name,
                      model.files[0]),
          describe_options<ResNetOptions>(),
          [](const Json& options) { return options_to_json(parse(options)); },
          [](const Json& options) -> std::unique_ptr<Backbone> {
            return std::make_unique<ResNetBackbone>(model, parse(options));
          },
          PublishedModel{published_weights(model), std::string(model.name), "imagenet"}};
}

}  // namespace

ResNetBackbone::ResNetBackbone(const ResNetModel& model, Options options)
    : model_(model),
      options_(std::move(options)),
      layers_(layer_numbers(model, options_.layers)),
      input_{.frame = {.mode = options_.resize,
                       .image_size_px = options_.image_size,
                       .stride_px = 4 << layers_.front()},
             .normalization = normalization("imagenet"),
             .device = resolve_device(options_.device),
             .dtype = scalar_type_named(options_.dtype)} {
  input_.batch_size = batch_size_on(input_.device, options_.batch_size);
  const std::string path = options_.weights.empty()
                               ? find_weights(published_weights(model), options_.weights_root)
                               : options_.weights;
  sha256_ = sha256_file(path);
  const c10::InferenceMode guard;
  WeightsCheckpoint checkpoint(
      fmt::format("{} weights {}", model.name, path), load_state_dict(path),
      [](std::string_view name) { return std::string(name); }, input_.device, input_.dtype);
  network_.emplace(model.shape, checkpoint);
}

std::vector<Features> ResNetBackbone::extract(std::span<const Image* const> images) const {
  const auto forward = [this](const at::Tensor& input) {
    const std::vector<at::Tensor> maps = network_->layers(input, layers_.back() + 1);
    const at::Tensor& finest = maps[layers_.front()];
    TokenGrid grid;
    grid.rows = finest.size(2);
    grid.cols = finest.size(3);
    std::vector<at::Tensor> parts;
    for (const int layer : layers_)
      parts.push_back(layer == layers_.front()
                          ? finest
                          : at::upsample_bilinear2d(maps[layer], {grid.rows, grid.cols}, false));
    grid.tokens = at::cat(parts, 1).permute({0, 2, 3, 1}).flatten(1, 2);
    grid.globals = maps[layers_.back()].mean({2, 3});
    return grid;
  };
  std::vector<Features> list = extract_token_grids(images, input_, forward);
  for (Features& features : list) features.backbone = spec();
  return list;
}

at::Tensor ResNetBackbone::logits(std::span<const Image* const> images) const {
  return extract_logits(images, input_, kImageNetClasses,
                        [this](const at::Tensor& x) { return network_->logits(x); });
}

std::string ResNetBackbone::spec() const {
  Json shaping = options_to_json(options_);
  for (const char* key : {"device", "batch_size"}) shaping.erase(key);
  for (const char* key : {"weights", "weights_root"})
    if (shaping[key] == "") shaping.erase(key);
  return format_spec({std::string(model_.name), shaping});
}

std::vector<BackboneKind> resnet_kinds() {
  return []<std::size_t... I>(std::index_sequence<I...>) {
    return std::vector<BackboneKind>{resnet_kind<I>()...};
  }
  (std::make_index_sequence<std::size(kModels)>());
}

}  // namespace imatch
