// SPDX-License-Identifier: Apache-2.0
#include "nn/efficientnet_lite.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/cosine_similarity.h>
#include <ATen/ops/full.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/upsample_bilinear2d.h>
#include <ATen/ops/zeros.h>

#include <array>
#include <cmath>
#include "catch.h"

#include "backbone/backbone.h"
#include "backbone/pictures.h"
#include "base/error.h"
#include "base/file.h"
#include "base/resources.h"
#include "scratch.h"

namespace {

using namespace imatch;

const StateDict& weights() {
  static const StateDict state =
      load_state_dict(resource_folder("weights") + "/efficientnet-lite0-57934424.pth");
  return state;
}

/// The shipped weights with one tensor left out or put in another's place.
StateDict changed(const std::string& name, const at::Tensor& tensor = {}) {
  StateDict state;
  for (const auto& [key, value] : weights())
    if (key != name) state.add(key, value);
  if (tensor.defined()) state.add(name, tensor);
  return state;
}

EfficientNetLite opened(const StateDict& state, std::vector<int> strides_px) {
  WeightsCheckpoint checkpoint("lite0", state, c10::kCPU, at::kFloat);
  return {{}, std::move(strides_px), checkpoint};
}

std::string refusal(const StateDict& state) {
  try {
    opened(state, {16});
  } catch (const Failure& failure) {
    CHECK(failure.code() == code::kBadWeights);
    return failure.what();
  }
  return "";
}

TEST_CASE("EfficientNetLite: a missing, extra, misshaped, integer or NaN tensor is named") {
  CHECK_THAT(refusal(changed("_blocks.7._bn1.running_var")),
             Catch::Contains("'_blocks.7._bn1.running_var' is missing"));
  CHECK_THAT(refusal(changed("_fc.bias")), Catch::Contains("'_fc.bias' is missing"));
  CHECK_THAT(refusal(changed("_blocks.16._bn1.bias", at::zeros({3}))),
             Catch::Contains("'_blocks.16._bn1.bias' is not part"));
  CHECK_THAT(refusal(changed("_blocks.3._depthwise_conv.weight", at::zeros({144, 1, 3, 3}))),
             Catch::Contains("_blocks.3._depthwise_conv.weight") && Catch::Contains("[144, 1, 3, 3]") &&
                 Catch::Contains("expected [144, 1, 5, 5]"));
  CHECK_THAT(refusal(changed("_bn0.bias", at::zeros({32}, at::kLong))), Catch::Contains("'_bn0.bias'"));
  CHECK_THAT(refusal(changed("_bn0.bias", at::full({32}, NAN))), Catch::Contains("not finite"));
  CHECK_THAT(refusal(StateDict()), Catch::Contains("'_conv_stem.weight' is missing"));
  CHECK(refusal(changed("_bn0.num_batches_tracked")).empty());  // a counter of training only
}

TEST_CASE("EfficientNetLite: sizes of the stages are those of SAME padding") {
  const at::NoGradGuard no_gradients;
  const EfficientNetLite network = opened(weights(), {8, 16, 32});
  CHECK(network.strides_px() == std::vector{8, 16, 32});
  for (const auto& [height, width] : {std::pair{64, 96}, {65, 31}, {1, 1}}) {
    const at::Tensor images = at::zeros({2, 3, height, width});
    const auto layers = network.forward(images);
    REQUIRE(layers.size() == 3);
    for (int n = 0; n < 3; ++n) {
      const int stride = 8 << n, channels = std::array{40, 112, 320}[n];
      CHECK(layers[n].map.sizes() ==
            at::IntArrayRef{2, channels, (height + stride - 1) / stride, (width + stride - 1) / stride});
    }
    CHECK(network.logits(images).sizes() == at::IntArrayRef{2, 1000});
  }
}

TEST_CASE("EfficientNetLite: the memory order of the input does not matter") {
  const at::NoGradGuard no_gradients;
  const EfficientNetLite network = opened(weights(), {16});
  const auto map = [&](const at::Tensor& images) { return network.forward(images).at(0).map; };
  const at::Tensor wide = at::zeros({1, 3, 64, 200}).uniform_(-1, 1);
  const at::Tensor part = wide.slice(3, 40, 136);
  const at::Tensor plain = map(part.contiguous());
  CHECK((map(part) - plain).abs().max().item<float>() == 0);
  const at::Tensor last = part.contiguous(at::MemoryFormat::ChannelsLast);
  CHECK((map(last) - plain).abs().max().item<float>() == 0);
}

TEST_CASE("EfficientNetLite: a constant image gives equal tokens inside") {
  Image image(640, 640);
  std::fill(image.rgb.begin(), image.rgb.end(), std::uint8_t{90});
  const Image* one[] = {&image};
  const Features features = open_backbone("efficientnet_lite0 image_size=640 stage=8")->extract(one).at(0);
  const at::Tensor inside =
      features.tokens.view({80, 80, 40}).slice(0, 20, 60).slice(1, 20, 60).flatten(0, 1);
  CHECK((inside - inside[0]).abs().max().item<float>() < 1e-4F);
}

TEST_CASE("efficientnet_lite0: weights files that do not serve") {
  const testing::Scratch scratch;
  const auto open = [](const std::string& path) {
    return open_backbone("efficientnet_lite0", {{"weights", path}});
  };
  CHECK_THROWS_AS(open(scratch / "none.pth"), Failure);
  CHECK_THROWS_AS(open(scratch.path()), Failure);
  const std::string shipped = resource_folder("weights") + "/efficientnet-lite0-57934424.pth";
  const std::string bytes = read_file(shipped);
  write_file_atomically(scratch / "cut.pth", std::string_view(bytes).substr(0, bytes.size() / 2));
  CHECK_THROWS_WITH(open(scratch / "cut.pth"), Catch::Contains("cut.pth"));
  write_file_atomically(scratch / "text.pth", "not weights");
  CHECK_THROWS_WITH(open(scratch / "text.pth"), Catch::Contains("text.pth"));

  write_file_atomically(scratch / "copy.pth", bytes);
  const auto copy = open(scratch / "copy.pth");
  CHECK(copy->weights_sha256() == open_backbone("efficientnet_lite0")->weights_sha256());
  CHECK_THAT(copy->spec(), Catch::Contains("copy.pth"));
  CHECK(open_backbone(copy->spec())->spec() == copy->spec());
}

TEST_CASE("efficientnet_lite0: tokens look at the centre of their cell") {
  // Rotated by 180 degrees and moved by d pixels both ways, a picture agrees best with itself, rotated back,
  // at a small d: twice the distance between where a token looks and the centre of its cell. Padding alone
  // would make it 15.
  const at::NoGradGuard no_gradients;
  const auto backbone = open_backbone("efficientnet_lite0 image_size=320 resize=exact");
  const int margin = 16;
  const Image wide = testing::picture(320 + 2 * margin, 320 + 2 * margin);
  const auto cut = [&](int dx, bool rotated) {
    Image part(320, 320);
    for (int y = 0; y < 320; ++y)
      for (int x = 0; x < 320; ++x) {
        const std::uint8_t* from = wide.pixel(x + margin - dx, y + margin - dx);
        std::copy_n(from, 3, rotated ? part.pixel(319 - x, 319 - y) : part.pixel(x, y));
      }
    return part;
  };
  const auto tokens = [&](const Image& image) {
    const Image* one[] = {&image};
    const at::Tensor t = backbone->extract(one).at(0).tokens;
    return (t - t.mean(0)).view({20, 20, 112});
  };
  const at::Tensor upright = tokens(cut(0, false));
  double best = -1;
  int best_shift = 0;
  for (int d = -15; d <= 15; d += 3) {
    const at::Tensor rotated = tokens(cut(d, true)).flip({0, 1});
    const double agreement = ((upright * rotated).sum() / (upright.norm() * rotated.norm())).item<double>();
    if (agreement > best) {
      best = agreement;
      best_shift = d;
    }
  }
  INFO("best agreement " << best << " at " << best_shift);
  CHECK(std::abs(best_shift) <= 6);
}

at::Tensor photograph(std::int64_t height, std::int64_t width) {
  at::manual_seed(7);
  // Structure at several scales, as photographs have it.
  at::Tensor x = at::zeros({1, 3, height, width});
  for (const std::int64_t cell : {64, 16, 4})
    x.add_(at::upsample_bilinear2d(at::randn({1, 3, height / cell + 2, width / cell + 2}), {height, width},
                                   false),
           0.35);
  return x.clamp_(-1, 1);
}

TEST_CASE("EfficientNetLite: a large picture, computed in bands, has the features of whole convolutions") {
  const EfficientNetLite network = opened(weights(), {2, 4, 8, 16, 32});
  for (const auto& [height, width] : {std::array{900, 640}, std::array{641, 903}}) {
    const at::Tensor x = at::cat({photograph(height, width), photograph(height, width).flip({3})});
    const std::vector<LayerOutput> whole = network.forward(x);  // gradients are on: as autograd would want it
    const at::NoGradGuard no_gradients;
    const std::vector<LayerOutput> in_bands = network.forward(x);
    REQUIRE(in_bands.size() == 5);
    for (std::size_t i = 0; i < 5; ++i) {
      REQUIRE(in_bands[i].map.sizes() == whole[i].map.sizes());
      const double range = whole[i].map.abs().max().item<double>();
      CHECK((in_bands[i].map - whole[i].map).abs().max().item<double>() <= 1e-5 * range);
    }
  }
}

TEST_CASE("EfficientNetLite: in 8 bits its tokens stay near those of float32") {
  const at::NoGradGuard no_gradients;
  WeightsCheckpoint checkpoint("lite0", weights(), c10::kCPU, at::kFloat);
  checkpoint.round_weights(WeightsCheckpoint::Rounding::kInt8);
  const EfficientNetLite rounded({}, {8, 16, 32}, checkpoint), exact = opened(weights(), {8, 16, 32});
  const at::Tensor x = photograph(336, 448);
  const auto a = exact.forward(x), b = rounded.forward(x);
  for (std::size_t i = 0; i < 3; ++i) {
    const at::Tensor cosine = at::cosine_similarity(a[i].map, b[i].map, 1);
    INFO("layer " << i << ": " << cosine.mean().item<double>() << ", least " << cosine.min().item<double>());
    CHECK(cosine.mean().item<double>() >= 0.99);
    CHECK(cosine.mean().item<double>() < 1 - 1e-6);
  }
  const at::Tensor classes = at::cosine_similarity(exact.logits(x), rounded.logits(x), 1);
  CHECK(classes.item<double>() >= 0.98);
}

}  // namespace
