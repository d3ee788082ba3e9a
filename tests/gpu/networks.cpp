// SPDX-License-Identifier: Apache-2.0
#include "gpu/networks.h"

#include <algorithm>
#include <memory>
#include <variant>

#include "nn/dino_models.h"
#include "nn/efficientnet_lite.h"
#include "nn/random_weights.h"

namespace imatch::testing {
namespace {

const DinoModel& model_named(std::string_view alias) {
  return *std::ranges::find(kDinoModels, alias, &DinoModel::alias);
}

/// Maps and global vectors of all layers; the classes, where there are some.
Forward everything_of(std::shared_ptr<const TokenNetwork> network) {
  return [network](const at::Tensor& x) {
    std::vector<at::Tensor> all;
    for (const LayerOutput& layer : network->forward(x)) {
      all.push_back(layer.map);
      if (layer.global.defined()) all.push_back(layer.global);
    }
    if (const Classifier* classifier = network->classifier()) all.push_back(classifier->logits(x));
    return all;
  };
}

NetworkCase convnext(std::string_view alias, int image_px) {
  return {std::string(alias), image_px, [alias](c10::Device device, c10::ScalarType dtype) {
            const auto& shape = std::get<ConvNextShape>(model_named(alias).shape);
            WeightsCheckpoint checkpoint("random", random_weights(shape), device, dtype);
            return everything_of(std::make_shared<const ConvNext>(shape, std::vector{3}, checkpoint));
          }};
}

NetworkCase resnet(std::string name, const ResNetShape& shape, int image_px) {
  return {std::move(name), image_px, [shape](c10::Device device, c10::ScalarType dtype) {
            WeightsCheckpoint checkpoint("random", random_weights(shape), device, dtype);
            return everything_of(std::make_shared<const ResNet>(shape, std::vector{0, 1, 2, 3}, checkpoint));
          }};
}

NetworkCase efficientnet_lite0(int image_px) {
  return {"efficientnet_lite0", image_px, [](c10::Device device, c10::ScalarType dtype) {
            WeightsCheckpoint checkpoint("random", random_efficientnet_lite0_weights(), device, dtype);
            return everything_of(std::make_shared<const EfficientNetLite>(EfficientNetLiteShape{},
                                                                          std::vector{8, 16}, checkpoint));
          }};
}

}  // namespace

VisionTransformerShape vision_transformer_shape(std::string_view alias, int depth) {
  VisionTransformerShape shape = std::get<VisionTransformerShape>(model_named(alias).shape);
  if (depth > 0) shape.depth = std::min(shape.depth, depth);
  return shape;
}

NetworkCase vision_transformer(std::string_view alias, int image_px, int depth) {
  return {std::string(alias), image_px, [alias, depth](c10::Device device, c10::ScalarType dtype) {
            const VisionTransformerShape shape = vision_transformer_shape(alias, depth);
            VisionTransformerRules rules;
            if (shape.registers > 0) rules.resampling = GridResampling::kAntialiased;
            WeightsCheckpoint checkpoint("random", random_weights(shape), device, dtype);
            return everything_of(std::make_shared<const VisionTransformer>(
                shape, rules, std::vector{shape.depth - 1}, Facet::kToken, checkpoint));
          }};
}

double vision_transformer_operations(std::string_view alias, int image_px, int depth) {
  const VisionTransformerShape shape = vision_transformer_shape(alias, depth);
  const double width = shape.width, wide = shape.feed_forward_width;
  const double patches = static_cast<double>(image_px / shape.patch_px) * (image_px / shape.patch_px);
  const double tokens = patches + 1 + shape.registers;
  const double linears =
      4 * width * width + (shape.feed_forward == FeedForward::kGelu ? 2 : 3) * width * wide;
  const double block = tokens * linears + 2 * tokens * tokens * width;
  return 2 * (shape.depth * block + patches * width * 3 * shape.patch_px * shape.patch_px);
}

std::vector<NetworkCase> network_cases(int depth) {
  std::vector<NetworkCase> cases;
  // Learned positions of all three kinds of resampling's users, rotary ones, and the three feed-forward
  // parts.
  for (const char* alias : {"vits14", "vits14_reg"}) cases.push_back(vision_transformer(alias, 112, depth));
  cases.push_back(vision_transformer("vitg14", 112, depth == 0 ? 0 : 1));
  for (const char* alias : {"vits16", "vits16+"}) cases.push_back(vision_transformer(alias, 128, depth));
  cases.push_back(convnext("cxTiny", 128));
  cases.push_back(resnet("resnet18", {}, 128));
  cases.push_back(resnet("resnet50", {.depths = {3, 4, 6, 3}, .bottleneck = true}, 128));
  cases.push_back(efficientnet_lite0(128));
  return cases;
}

std::vector<TransformerJob> transformer_jobs(Extent extent) {
  if (extent == Extent::kQuick) return {{"vits14", 112, 2, 2}};
  return {{"vits14", 336, 0, 64},  {"vitb14", 336, 0, 64},  {"vitl14", 336, 0, 32},
          {"vits16", 1024, 0, 16}, {"vitb16", 1024, 0, 16}, {"vitl16", 1024, 0, 8}};
}

}  // namespace imatch::testing
