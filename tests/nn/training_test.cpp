// SPDX-License-Identifier: Apache-2.0
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/dot.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>

#include <cmath>
#include <functional>
#include <memory>
#include "catch.h"

#include "base/error.h"
#include "nn/convnext.h"
#include "nn/efficientnet_lite.h"
#include "nn/random_weights.h"
#include "nn/resnet.h"
#include "nn/vision_transformer.h"

namespace {

using namespace imatch;
using Parameters = std::vector<WeightsCheckpoint::Parameter>;

/// A network of our layers that is to be trained.
struct Trained {
  std::unique_ptr<const TokenNetwork> network;
  Parameters parameters;
};

template <class Make>
Trained opened_for_training(const StateDict& weights, c10::ScalarType dtype, const Make& make) {
  WeightsCheckpoint checkpoint("random", weights, c10::kCPU, dtype, WeightsCheckpoint::Purpose::kTraining);
  auto network = make(checkpoint);
  return {std::move(network), checkpoint.parameters()};
}

VisionTransformerShape small_transformer(PositionScheme positions, FeedForward feed_forward) {
  return {.width = 64,
          .depth = 2,
          .heads = positions == PositionScheme::kRotary ? 2 : 1,
          .feed_forward = feed_forward,
          .feed_forward_width = 96,
          .patch_px = 4,
          .registers = 1,
          .positions = positions};
}

Trained transformer(const VisionTransformerShape& shape, c10::ScalarType dtype) {
  return opened_for_training(testing::random_weights(shape), dtype, [&](WeightsCheckpoint& checkpoint) {
    return std::make_unique<VisionTransformer>(shape, VisionTransformerRules{}, std::vector{0, 1},
                                               Facet::kToken, checkpoint);
  });
}

/// A number that depends on every output of the network, each in its own way.
at::Tensor mixed(const TokenNetwork& network, const at::Tensor& images) {
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(5);
  const auto weighed = [&](const at::Tensor& output) {
    return at::dot(output.flatten(), at::randn({output.numel()}, generator, output.options())) /
           std::sqrt(static_cast<double>(output.numel()));
  };
  at::Tensor sum = at::zeros({}, images.options());
  for (const LayerOutput& layer : network.forward(images)) {
    sum = sum + weighed(layer.map);
    if (layer.global.defined()) sum = sum + weighed(layer.global);
  }
  if (const Classifier* classifier = network.classifier()) sum = sum + weighed(classifier->logits(images));
  return sum;
}

/// A view of one element, counted in row-major order whatever the strides.
at::Tensor element_at(at::Tensor tensor, std::int64_t place) {
  for (std::int64_t dim = tensor.dim() - 1; dim >= 0; --dim) {
    const std::int64_t size = tensor.size(dim);
    tensor = tensor.select(dim, place % size);
    place /= size;
  }
  return tensor;
}

/// Compares autograd's derivative with a central difference, at the element of every n-th parameter whose
/// derivative is the largest.
void check_gradients(const Trained& trained, const at::Tensor& images, std::size_t every = 1) {
  REQUIRE_FALSE(trained.parameters.empty());
  mixed(*trained.network, images).backward();
  const at::NoGradGuard no_gradients;
  double largest = 0;
  for (const auto& [name, parameter] : trained.parameters) {
    INFO(name);
    REQUIRE(parameter.grad().defined());
    largest = std::max(largest, parameter.grad().abs().max().item<double>());
  }
  for (std::size_t n = 0; n < trained.parameters.size(); n += every) {
    const auto& [name, parameter] = trained.parameters[n];
    INFO(name);
    const std::int64_t place = parameter.grad().abs().flatten().argmax().item<std::int64_t>();
    const at::Tensor element = element_at(parameter, place);
    const double exact = element_at(parameter.grad(), place).item<double>();
    const double step = parameter.scalar_type() == at::kFloat ? 1e-2 : 1e-5;
    const double before = element.item<double>();
    const auto value_at = [&](double x) {
      element.fill_(x);
      return std::pair{element.item<double>(), mixed(*trained.network, images).item<double>()};
    };
    const auto [high, above] = value_at(before + step);
    const auto [low, below] = value_at(before - step);
    element.fill_(before);
    CHECK((above - below) / (high - low) == Approx(exact).epsilon(1e-3).margin(1e-6 * largest));
  }
}

TEST_CASE("networks: gradients agree with numeric differences") {
  const auto images = [](std::int64_t height, std::int64_t width) {
    return at::randn({2, 3, height, width}, at::make_generator<at::CPUGeneratorImpl>(7), at::kDouble);
  };
  SECTION("vision transformer, learned positions") {
    check_gradients(transformer(small_transformer(PositionScheme::kLearned, FeedForward::kGelu), at::kDouble),
                    images(12, 8));
    check_gradients(
        transformer(small_transformer(PositionScheme::kLearned, FeedForward::kFusedSwiGlu), at::kDouble),
        images(12, 8));
  }
  SECTION("vision transformer, rotary positions") {
    check_gradients(
        transformer(small_transformer(PositionScheme::kRotary, FeedForward::kSwiGlu), at::kDouble),
        images(12, 8));
  }
  SECTION("ConvNeXt") {
    const ConvNextShape shape{.depths = {1, 2, 1, 1}, .widths = {8, 16, 24, 32}};
    check_gradients(
        opened_for_training(testing::random_weights(shape), at::kDouble,
                            [&](WeightsCheckpoint& checkpoint) {
                              return std::make_unique<ConvNext>(shape, std::vector{1, 3}, checkpoint);
                            }),
        images(32, 64));
  }
  SECTION("ResNet") {
    const ResNetShape shape{.depths = {1, 1, 1, 1}};
    check_gradients(
        opened_for_training(testing::random_weights(shape), at::kDouble,
                            [&](WeightsCheckpoint& checkpoint) {
                              return std::make_unique<ResNet>(shape, std::vector{1, 2}, checkpoint);
                            }),
        images(32, 40));
  }
  SECTION("EfficientNet-Lite") {
    check_gradients(opened_for_training(testing::random_efficientnet_lite0_weights(), at::kDouble,
                                        [](WeightsCheckpoint& checkpoint) {
                                          return std::make_unique<EfficientNetLite>(
                                              EfficientNetLiteShape{}, std::vector{8, 16}, checkpoint);
                                        }),
                    images(33, 32), 9);  // its 100 convolutions take their time in float64
  }
}

TEST_CASE("a small transformer learns, and computes the same with the fast kernels when gradients are off") {
  const Trained trained =
      transformer(small_transformer(PositionScheme::kRotary, FeedForward::kGelu), at::kFloat);
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(3);
  const at::Tensor images = at::randn({8, 3, 8, 8}, generator);
  const at::Tensor wanted = at::randn({8, 64}, generator);
  const auto loss_now = [&] {
    return trained.network->forward(images).back().global.sub(wanted).square().mean();
  };
  const double first = loss_now().item<double>();
  for (int step = 0; step < 60; ++step) {
    loss_now().backward();
    const at::NoGradGuard no_gradients;
    for (const auto& [name, parameter] : trained.parameters) {
      if (!parameter.grad().defined()) continue;
      parameter.sub_(parameter.grad(), 0.1);
      parameter.mutable_grad().reset();
    }
  }
  const at::Tensor last = loss_now();
  REQUIRE(last.requires_grad());
  CHECK(last.item<double>() < first / 10);

  const at::NoGradGuard no_gradients;
  const at::Tensor fast = loss_now();
  CHECK_FALSE(fast.requires_grad());
  CHECK(fast.item<double>() == Approx(last.item<double>()).epsilon(1e-4));
}

TEST_CASE("a network opened for inference has no parameters and says why it lets no gradient through") {
  const auto shape = small_transformer(PositionScheme::kLearned, FeedForward::kGelu);
  WeightsCheckpoint checkpoint("random", testing::random_weights(shape), c10::kCPU, at::kFloat);
  const VisionTransformer network(shape, {}, {1}, Facet::kToken, checkpoint);
  CHECK(checkpoint.parameters().empty());
  const at::Tensor images = at::zeros({1, 3, 8, 8});
  CHECK_FALSE(network.forward(images)[0].map.requires_grad());
  const at::Tensor wanting = images.clone().set_requires_grad(true);
  const LinearLayer packed(at::zeros({4, 4}), {}, LinearLayer::Storage::kPacked);
  if (packed.is_packed()) CHECK_THROWS_WITH(network.forward(wanting), Catch::Contains("opened for training"));
}

TEST_CASE("several layers at once are what each is alone") {
  const auto shape = small_transformer(PositionScheme::kRotary, FeedForward::kGelu);
  const StateDict weights = testing::random_weights(shape);
  const at::Tensor images = at::randn({2, 3, 12, 8});
  const at::NoGradGuard no_gradients;
  const auto layers_of = [&](std::vector<int> layers, Facet facet) {
    WeightsCheckpoint checkpoint("random", weights, c10::kCPU, at::kFloat);
    return VisionTransformer(shape, {}, std::move(layers), facet, checkpoint).forward(images);
  };
  for (const Facet facet : {Facet::kToken, Facet::kKey}) {
    const auto both = layers_of({0, 1}, facet);
    REQUIRE(both.size() == 2);
    for (int n = 0; n < 2; ++n) {
      const auto alone = layers_of({n}, facet);
      CHECK(both[n].map.sizes() == at::IntArrayRef{2, 64, 3, 2});
      CHECK(both[n].map.equal(alone[0].map));
      CHECK(both[n].global.equal(alone[0].global));
    }
  }
}

}  // namespace
