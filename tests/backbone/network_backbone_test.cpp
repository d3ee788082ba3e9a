// SPDX-License-Identifier: Apache-2.0
#include "backbone/network_backbone.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/zeros.h>

#include "catch.h"

#include "backbone/extract.h"
#include "backbone/features_of.h"
#include "backbone/pictures.h"

namespace {

using namespace imatch;
using imatch::testing::difference;
using imatch::testing::features_of;
using imatch::testing::picture;

/// Two layers whose values tell where and in which layer they are.
class TwoLayers final : public TokenNetwork {
 public:
  explicit TwoLayers(InputSizeRule rule) : rule_(rule) {}
  InputSizeRule input_size() const override { return rule_; }
  std::vector<int> strides_px() const override { return {4, 8}; }
  std::vector<LayerOutput> forward(const at::Tensor& images) const override {
    const at::Tensor fine = images.slice(2, 0, std::nullopt, 4).slice(3, 0, std::nullopt, 4);
    const at::Tensor coarse = images.slice(2, 0, std::nullopt, 8).slice(3, 0, std::nullopt, 8).neg();
    return {{fine, {}}, {coarse, {}}};
  }

 private:
  InputSizeRule rule_;
};

NetworkBackbone backbone_of(InputSizeRule rule) {
  NetworkOptions options;
  options.image_size = 32;
  return {"two_layers", options, {}, {.network = std::make_unique<TwoLayers>(rule), .weights_sha256 = ""}};
}

TEST_CASE("NetworkBackbone: layers meet on the grid of the finest, and stay apart as maps") {
  const Image image = picture(61, 45);
  const Image* one[] = {&image};
  const NetworkBackbone backbone = backbone_of({});
  CHECK(backbone.stride() == 4);
  CHECK(classes_of(backbone) == 0);
  const auto maps = backbone.layer_maps(one).at(0);
  REQUIRE(maps.size() == 2);
  CHECK(maps[0].sizes() == at::IntArrayRef{3, 8, 11});
  CHECK(maps[1].sizes() == at::IntArrayRef{3, 4, 6});
  const Features features = features_of(backbone, image);
  CHECK(features.rows == 8);
  CHECK(features.cols == 11);
  REQUIRE(features.tokens.sizes() == at::IntArrayRef{88, 6});
  CHECK(difference(features.tokens.slice(1, 0, 3), maps[0].flatten(1).t()) == 0);
  CHECK(difference(features.global, maps[1].flatten(1).mean(1)) < 1e-6);
  CHECK(features.tokens.slice(1, 3, 6).max().item<double>() <= 0);
}

TEST_CASE("NetworkBackbone: sizes are multiples of what the network takes, or its one size") {
  const Image image = picture(61, 45);
  const Image* one[] = {&image};
  const auto size_of_first_map = [&](InputSizeRule rule) {
    return backbone_of(rule).layer_maps(one).at(0).at(0).sizes().vec();
  };
  CHECK(size_of_first_map({}) == std::vector<std::int64_t>{3, 8, 11});
  CHECK(size_of_first_map({.multiple_px = 8}) == std::vector<std::int64_t>{3, 8, 10});
  CHECK(size_of_first_map({.fixed_height_px = 24, .fixed_width_px = 40}) ==
        std::vector<std::int64_t>{3, 6, 10});
  const Features fixed = features_of(backbone_of({.fixed_height_px = 24, .fixed_width_px = 40}), image);
  const Point2 end = fixed.original_from_grid({10, 6});
  CHECK(end.x == Approx(61));
  CHECK(end.y == Approx(45));
}

TEST_CASE("network_spec: leaves out what does not shape the result and what is left at nothing") {
  const Json defaults{{"layer", -1}, {"depth", 0}, {"weights", ""}, {"device", "auto"}, {"batch_size", 0}};
  Json options = defaults;
  CHECK(network_spec("net", options, defaults) == "net layer=-1");
  options["layer"] = 0;
  options["depth"] = 2;
  options["weights"] = "w.pth";
  options["device"] = "cuda";
  CHECK(network_spec("net", options, defaults) == "net layer=0 depth=2 weights=w.pth");
}

TEST_CASE("what leaves a backbone can be trained on") {
  const Image images[] = {picture(80, 64), picture(64, 80)};
  const Image* both[] = {&images[0], &images[1]};
  FeatureCache cache({.folder = "", .max_mb = 0});
  const auto features = extract_features(*open_backbone("efficientnet_lite0 image_size=64"), both, cache);
  const at::Tensor tokens = at::cat({features[0]->tokens, features[1]->tokens});
  at::Tensor labels = at::zeros({tokens.size(0), 2});
  labels.slice(0, 0, features[0]->tokens.size(0)).select(1, 0).fill_(1);
  labels.slice(0, features[0]->tokens.size(0)).select(1, 1).fill_(1);
  const at::Tensor weight = at::zeros({2, tokens.size(1)}).set_requires_grad(true);
  const auto loss_now = [&] { return at::linear(tokens, weight).sub(labels).square().mean(); };
  const double first = loss_now().item<double>();
  // The gradient's Lipschitz constant is at most the mean squared length of a row.
  const double rate = 1 / tokens.square().sum(1).mean().item<double>();
  for (int step = 0; step < 20; ++step) {
    loss_now().backward();
    const at::NoGradGuard no_gradients;
    weight.sub_(weight.grad(), rate);
    weight.mutable_grad().reset();
  }
  CHECK(loss_now().item<double>() < 0.8 * first);
}

}  // namespace
