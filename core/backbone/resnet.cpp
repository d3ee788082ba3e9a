// SPDX-License-Identifier: Apache-2.0
#include "backbone/resnet.h"

#include "nn/resnet.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <tuple>

#include "backbone/network_backbone.h"
#include "backbone/unwrapped_weights.h"
#include "backbone/weights_search.h"
#include "base/error.h"
#include "base/sha256.h"

namespace imatch {
namespace {

struct ResNetOptions : NetworkOptions {
  ResNetOptions() { image_size = 224; }
  std::vector<std::string> layers{"layer2", "layer3"};

  static constexpr std::string_view kLayers[] = {"layer1", "layer2", "layer3", "layer4"};
  static constexpr auto fields = std::tuple_cat(
      frame_fields(32),
      std::tuple{field("layers", &ResNetOptions::layers, one_of(kLayers),
                       "Feature maps that make a token, one behind the other on the grid of the finest, the "
                       "coarser ones bilinearly enlarged. Cells have 4, 8, 16 and 32 px. The network runs no "
                       "further than the coarsest.")},
      dtype_field(),
      weights_field("File with torchvision's names of tensors, .pth or .safetensors; empty: searched by the "
                    "published names under `weights_root`."),
      weights_root_field(), running_fields());
};

struct ResNetModel {
  std::string_view name;
  std::array<std::string_view, 2> files;  ///< torchvision's, of the first and the second training recipe.
  ResNetShape shape;
};

constexpr ResNetModel kResNetModels[] = {
    {"resnet18", {"resnet18-f37072fd.pth"}, {}},
    {"resnet50",
     {"resnet50-0676ba61.pth", "resnet50-11ad3fa6.pth"},
     {.depths = {3, 4, 6, 3}, .bottleneck = true}},
    {"wide_resnet50_2",
     {"wide_resnet50_2-95faca4d.pth", "wide_resnet50_2-32ee1156.pth"},
     {.depths = {3, 4, 6, 3}, .bottleneck = true, .width_of_64 = 128}},
};

PublishedWeights published_resnet(const ResNetModel& model) {
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

OpenedNetwork open_resnet(const ResNetModel& model, const ResNetOptions& options, NetworkPlace place) {
  std::vector<int> layers = layer_numbers(model, options.layers);
  const std::string path =
      options.weights.empty() ? find_weights(published_resnet(model), options.weights_root) : options.weights;
  constexpr std::string_view kLandmarks[] = {"layer1.0.conv1.weight"};
  UnwrappedWeights weights = unwrap_weights(load_state_dict(path), kLandmarks, {});
  WeightsCheckpoint checkpoint(fmt::format("{} weights {}", model.name, path), weights.tensors, place.device,
                               place.dtype);
  checkpoint.round_weights(place.rounding);
  return {.network = std::make_unique<ResNet>(model.shape, std::move(layers), checkpoint),
          .weights_sha256 = sha256_file(path),
          .weights_rule = std::move(weights.rule),
          .normalization = normalization("imagenet")};
}

}  // namespace

std::vector<BackboneKind> resnet_kinds() {
  std::vector<BackboneKind> kinds;
  for (const ResNetModel& model : kResNetModels)
    kinds.push_back(network_kind<ResNetOptions>(
        {.name = std::string(model.name),
         .doc = fmt::format("{} trained on ImageNet: feature maps at 4, 8, 16 and 32 px. Weights: {}.",
                            model.name, model.files[0]),
         .open = [&model](const ResNetOptions& options,
                          NetworkPlace place) { return open_resnet(model, options, place); },
         .published = PublishedModel{published_resnet(model), std::string(model.name), "imagenet"}}));
  return kinds;
}

}  // namespace imatch
