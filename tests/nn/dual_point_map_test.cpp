// SPDX-License-Identifier: Apache-2.0
//
// Compared with what the published code gives (dualpm_small.npz, dualpm_state_dict.txt of the test data).
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>

#include <fstream>
#include "catch.h"

#include "base/error.h"
#include "io/npz.h"
#include "nn/dual_point_map.h"
#include "nn/formula_weights.h"
#include "test_data.h"

namespace {

using namespace imatch;

StateDict new_weights(const DualPointMapShape& shape) {
  return DualPointMap::initial_weights(shape, at::make_generator<at::CPUGeneratorImpl>(1));
}

DualPointMap opened(const StateDict& weights, WeightsCheckpoint::Purpose purpose) {
  WeightsCheckpoint checkpoint("weights", weights, c10::kCPU, at::kFloat, purpose);
  return {DualPointMap::shape_of(weights, "weights"), checkpoint};
}

TEST_CASE("dual point map: names, order and shapes are the published ones") {
  const auto data = testing::test_data();
  if (!data) return;
  std::ifstream list(*data + "/fixtures/dualpm_state_dict.txt");
  REQUIRE(list.is_open());
  std::int64_t parameters = 0;
  const StateDict weights = new_weights({});
  for (const auto& [name, tensor] : weights) {
    std::string shape = "(";
    for (std::int64_t i = 0; i < tensor.dim(); ++i) shape += (i ? ", " : "") + std::to_string(tensor.size(i));
    shape += tensor.dim() == 1 ? ",)" : ")";
    std::string line;
    REQUIRE(std::getline(list, line));
    CHECK(line == name + " " + shape);
    if (!name.ends_with("resample_filter")) parameters += tensor.numel();
  }
  std::string more;
  CHECK_FALSE(std::getline(list, more));
  CHECK(weights.size() == 572);
  CHECK(parameters == 70'075'040);
}

TEST_CASE("dual point map: the published code's output") {
  const auto data = testing::test_data();
  if (!data) return;
  const StateDict fixture = read_npz(*data + "/fixtures/dualpm_small.npz");
  const StateDict weights = testing::formula_weights(testing::small_dual_point_map());
  CHECK(weights.size() == 452);
  const at::Tensor features = fixture.find("x")->permute({0, 3, 1, 2});
  const at::NoGradGuard no_gradients;
  const at::Tensor output = opened(weights, WeightsCheckpoint::Purpose::kInference)(features);
  CHECK((output - *fixture.find("y")).abs().max().item<double>() < 1e-4);
}

TEST_CASE("dual point map: the first stage gets no gradient from the second, and both learn") {
  const DualPointMapShape shape{.in_channels = 3, .resolution = 16, .model_channels = 8, .blocks = 1};
  WeightsCheckpoint checkpoint("new", new_weights(shape), c10::kCPU, at::kFloat,
                               WeightsCheckpoint::Purpose::kTraining);
  const DualPointMap network(shape, checkpoint);
  const auto x = at::randn({2, 3, 16, 16}, at::make_generator<at::CPUGeneratorImpl>(2));
  network(x).narrow(1, 3, 29).square().sum().backward();
  for (const auto& [name, parameter] : checkpoint.parameters())
    if (name.starts_with("nets.depth_encoder."))
      CHECK(parameter.grad().defined());
    else
      CHECK((!parameter.grad().defined() || parameter.grad().abs().max().item<float>() == 0));
  network(x).narrow(1, 0, 3).square().sum().backward();
  for (const auto& [name, parameter] : checkpoint.parameters()) {
    INFO(name);
    CHECK(parameter.grad().defined());
  }
  CHECK(checkpoint.parameters().size() == network.weights().size() - 24);
}

TEST_CASE("dual point map: the shape is read off the weights") {
  for (const DualPointMapShape& shape :
       {DualPointMapShape{.resolution = 32, .model_channels = 8, .blocks = 1, .attention_resolutions = {16}},
        DualPointMapShape{.in_channels = 5,
        .resolution = 64,
        .model_channels = 4,
        .multipliers = {1, 3},
        .attention_resolutions = {},
        .layers = 2,
        .depth_first = true,
        .image_conditioning = true},
        DualPointMapShape{.resolution = 16, .model_channels = 8, .layers = 1, .confidence = false}}) {
    DualPointMapShape expected = shape;
    std::erase_if(expected.attention_resolutions,
                  [&](int at) { return at > shape.resolution || at < shape.resolution >> 3; });
    CHECK(DualPointMap::shape_of(new_weights(shape), "weights") == expected);
  }
}

TEST_CASE("dual point map: weights go to another resolution by level") {
  const StateDict weights = testing::formula_weights(testing::small_dual_point_map());
  const StateDict larger = DualPointMap::at_resolution(weights, 64, "weights");
  CHECK(larger.find("nets.depth_encoder.enc.64x64_conv.weight"));
  const at::NoGradGuard no_gradients;
  const auto x = at::randn({1, 8, 64, 64}, at::make_generator<at::CPUGeneratorImpl>(2));
  CHECK(opened(larger, WeightsCheckpoint::Purpose::kInference)(x).equal(
      opened(weights, WeightsCheckpoint::Purpose::kInference)(x)));
  CHECK_THROWS_WITH(DualPointMap::at_resolution(weights, 20, "weights"),
                    Catch::Contains("resolution: 20 is not allowed; expected a multiple of 8"));
}

TEST_CASE("dual point map: what is no such network is named") {
  StateDict other;
  other.add("conv1.weight", at::zeros({4, 3, 7, 7}));
  CHECK_THROWS_WITH(DualPointMap::shape_of(other, "a.pth"),
                    Catch::Contains("a.pth: no dual point map network"));
  StateDict broken;
  for (const auto& [name, tensor] : testing::formula_weights(testing::small_dual_point_map()))
    if (!name.ends_with("16x16_down.conv1.bias")) broken.add(name, tensor);
  CHECK_THROWS_WITH(opened(broken, WeightsCheckpoint::Purpose::kInference),
                    Catch::Contains("16x16_down.conv1.bias' is missing"));
}

}  // namespace
