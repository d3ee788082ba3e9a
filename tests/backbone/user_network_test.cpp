// SPDX-License-Identifier: Apache-2.0
#include <ATen/TensorOperators.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/randn.h>
#include <torch/csrc/jit/api/module.h>

#include <openvino/core/graph_util.hpp>
#include <openvino/core/model.hpp>
#include <openvino/op/concat.hpp>
#include <openvino/op/constant.hpp>
#include <openvino/op/convolution.hpp>
#include <openvino/op/parameter.hpp>
#include <openvino/op/reduce_mean.hpp>
#include <openvino/op/reshape.hpp>
#include <openvino/op/transpose.hpp>
#include "catch.h"

#include "backbone/backbone.h"
#include "backbone/extract.h"
#include "backbone/features_of.h"
#include "backbone/onnx_files.h"
#include "backbone/pictures.h"
#include "base/error.h"
#include "base/file.h"
#include "base/sha256.h"
#include "image/normalize.h"
#include "image/resize.h"
#include "scratch.h"

namespace {

using namespace imatch;
using Catch::Matchers::Contains;
using imatch::testing::difference;
using imatch::testing::features_of;
using imatch::testing::picture;
using imatch::testing::Scratch;

constexpr std::int64_t kChannels = 8;
constexpr int kPatch = 16;

at::Tensor patch_weights() {
  static const at::Tensor weights = at::randn({kChannels, 3, kPatch, kPatch}) * 0.05;
  return weights;
}

ov::Output<ov::Node> constant_of(const at::Tensor& tensor) {
  const auto sizes = tensor.sizes();
  return std::make_shared<ov::op::v0::Constant>(ov::element::f32, ov::Shape(sizes.begin(), sizes.end()),
                                                tensor.data_ptr<float>());
}

ov::Output<ov::Node> integers(const std::vector<std::int64_t>& values) {
  return std::make_shared<ov::op::v0::Constant>(ov::element::i64, ov::Shape{values.size()}, values);
}

ov::Output<ov::Node> named(const std::shared_ptr<ov::Node>& node, const std::string& name) {
  node->output(0).set_names({name});
  return node->output(0);
}

/// A convolution that makes a token of each patch; outputs "map" [N, 8, rows, cols] and "mean" [N, 8, 1, 1].
void save_patches(const std::string& path, const ov::PartialShape& input = {-1, 3, -1, -1}) {
  const auto images = std::make_shared<ov::op::v0::Parameter>(ov::element::f32, input);
  const auto map = std::make_shared<ov::op::v1::Convolution>(
      images, constant_of(patch_weights()), ov::Strides{kPatch, kPatch}, ov::CoordinateDiff{0, 0},
      ov::CoordinateDiff{0, 0}, ov::Strides{1, 1});
  const auto mean = std::make_shared<ov::op::v1::ReduceMean>(map, integers({2, 3}), true);
  ov::serialize(std::make_shared<ov::Model>(ov::OutputVector{named(map, "map"), named(mean, "mean")},
                                            ov::ParameterVector{images}),
                path);
}

/// The same as a list, [1, 2 + rows * cols, 8], behind two tokens of its own; for one image of one size.
void save_token_list(const std::string& path, std::int64_t height, std::int64_t width,
                     const at::Tensor& prefix) {
  const auto images =
      std::make_shared<ov::op::v0::Parameter>(ov::element::f32, ov::PartialShape{1, 3, height, width});
  const auto map = std::make_shared<ov::op::v1::Convolution>(
      images, constant_of(patch_weights()), ov::Strides{kPatch, kPatch}, ov::CoordinateDiff{0, 0},
      ov::CoordinateDiff{0, 0}, ov::Strides{1, 1});
  const auto flat = std::make_shared<ov::op::v1::Reshape>(map, integers({1, kChannels, -1}), false);
  const auto patches = std::make_shared<ov::op::v1::Transpose>(flat, integers({0, 2, 1}));
  const auto all = std::make_shared<ov::op::v0::Concat>(ov::OutputVector{constant_of(prefix), patches}, 1);
  ov::serialize(
      std::make_shared<ov::Model>(ov::OutputVector{named(all, "tokens")}, ov::ParameterVector{images}), path);
}

/// What save_patches computes for an image of whole patches, by LibTorch: [rows * cols, 8].
at::Tensor expected_tokens(const Image& image, const char* normalized_by = "imagenet") {
  const at::Tensor map = at::conv2d(normalize(image, normalization(normalized_by)), patch_weights(), {},
                                    c10::IntArrayRef{kPatch, kPatch});
  return map[0].flatten(1).t();
}

Json in_own_size(const std::string& file, Json more) {
  Json options{{"file", file}, {"resize", "keep"}};
  if (more.is_object()) options.update(more);
  return options;
}

/// A protobuf field of length-delimited bytes.
std::string field_of(int number, const std::string& bytes) {
  std::string text(1, static_cast<char>(number << 3 | 2));
  std::size_t size = bytes.size();
  for (; size >= 0x80; size >>= 7) text += static_cast<char>((size & 0x7F) | 0x80);
  return text + static_cast<char>(size) + bytes;
}

std::string entry_of(const std::string& key, const std::string& value) {
  return field_of(13, field_of(1, key) + field_of(2, value));
}

TEST_CASE("onnx: the tokens of a map are LibTorch's, for any size of whole strides") {
  const Scratch scratch;
  save_patches(scratch / "m.xml");
  const auto backbone =
      open_backbone("onnx", in_own_size(scratch / "m.xml", {{"layout", "nchw"}, {"tokens", "map"}}));
  for (const auto& [width, height] : {std::pair{96, 64}, {64, 96}, {16, 160}}) {
    const Image image = picture(width, height);
    const Features features = features_of(*backbone, image);
    CHECK(features.rows == height / kPatch);
    CHECK(features.cols == width / kPatch);
    const at::Tensor expected = expected_tokens(image);
    CHECK(difference(features.tokens, expected) < 1e-5);
    CHECK(difference(features.global, expected.mean(0)) < 1e-5);
  }
  const Features odd = features_of(*backbone, picture(100, 70));  // whole patches: 96 x 64
  CHECK(odd.cols == 6);
  CHECK(odd.original_from_grid({6, 4}).x == Approx(100));
}

TEST_CASE("onnx: outputs by number, the vector of an output, normalisation by name and by numbers") {
  const Scratch scratch;
  save_patches(scratch / "m.xml");
  const Image image = picture(64, 48);
  const Json by_number{{"layout", "nchw"}, {"tokens", "0"}, {"global", "1"}, {"normalization", "half"}};
  const Features half = features_of(*open_backbone("onnx", in_own_size(scratch / "m.xml", by_number)), image);
  CHECK(difference(half.tokens, expected_tokens(image, "half")) < 1e-5);
  CHECK(difference(half.global, expected_tokens(image, "half").mean(0)) < 1e-5);
  const Json numbers{{"layout", "nchw"}, {"mean", {0.5, 0.5, 0.5}}, {"std", {0.5, 0.5, 0.5}}};
  const Features same = features_of(*open_backbone("onnx", in_own_size(scratch / "m.xml", numbers)), image);
  CHECK(difference(half.tokens, same.tokens) == 0);
}

TEST_CASE(
    "onnx: a list of tokens for one image of one size; the first prefix token is the vector of the image") {
  const Scratch scratch;
  const at::Tensor prefix = at::randn({1, 2, kChannels});
  save_token_list(scratch / "m.xml", 48, 64, prefix);
  const auto backbone = open_backbone("onnx", {{"file", scratch / "m.xml"}, {"prefix_tokens", 2}});
  const Image a = picture(64, 48), b = picture(200, 100);
  const Image* both[] = {&a, &b};
  const std::vector<Features> features = backbone->extract(both);
  CHECK(difference(features[0].tokens, expected_tokens(a)) < 1e-5);
  CHECK(difference(features[0].global, prefix[0][0]) == 0);
  CHECK(features[1].rows == 3);
  CHECK(features[1].original_from_grid({4, 3}).x == Approx(200));
  CHECK(features[1].original_from_grid({4, 3}).y == Approx(100));
  CHECK(difference(features[1].tokens, expected_tokens(resize_to(b, {64, 48}, "bicubic"))) < 1e-5);
}

TEST_CASE("onnx: a size that is asked for is the only one") {
  const Scratch scratch;
  save_patches(scratch / "m.xml");
  const auto backbone =
      open_backbone("onnx", {{"file", scratch / "m.xml"}, {"layout", "nchw"}, {"input_size", {48, 32}}});
  const Features features = features_of(*backbone, picture(320, 200));
  CHECK(features.rows == 3);
  CHECK(features.cols == 2);
}

TEST_CASE("onnx: what does not fit is named, with what there is") {
  const Scratch scratch;
  save_patches(scratch / "m.xml");
  save_patches(scratch / "fixed.xml", {1, 3, 32, 32});
  save_patches(scratch / "grey.xml", {-1, 3, -1, 32});
  const auto opening = [&](const char* file, const Json& more) {
    return open_backbone("onnx", in_own_size(scratch / file, more));
  };
  CHECK_THROWS_WITH(opening("m.xml", {{"tokens", "mpa"}}), Contains("tokens: there is no output 'mpa'") &&
                                                               Contains("0 'map' [?,8,") &&
                                                               Contains("1 'mean'"));
  CHECK_THROWS_WITH(opening("m.xml", {{"layout", "nchw"}, {"global", "2"}}),
                    Contains("global: there is no output '2'"));
  CHECK_THROWS_WITH(opening("m.xml", {}), Contains("'tokens' expects 3 dimensions"));
  CHECK_THROWS_WITH(opening("m.xml", {{"layout", "nchw"}, {"input_size", {1, 2, 3}}}),
                    Contains("{height, width}"));
  CHECK_THROWS_WITH(opening("m.xml", {{"layout", "nchw"}, {"prefix_tokens", 1}}),
                    Contains("prefix_tokens: 1"));
  CHECK_THROWS_WITH(opening("m.xml", {{"layout", "nchw"}, {"mean", {0.5}}, {"std", {1, 1, 1}}}),
                    Contains("three"));
  CHECK_THROWS_WITH(opening("m.xml", {{"layout", "nchw"}, {"mean", {0, 0, 0}}, {"std", {1, 0, 1}}}),
                    Contains("std"));
  CHECK_THROWS_WITH(opening("fixed.xml", {{"layout", "nchw"}, {"input_size", {48, 48}}}),
                    Contains("{48, 48} is not allowed") && Contains("[1,3,32,32]"));
  CHECK_THROWS_WITH(opening("grey.xml", {{"layout", "nchw"}}), Contains("input_size: expected"));
  CHECK_THROWS_WITH(open_backbone("onnx"), Contains("file: expected"));
  CHECK_THROWS_WITH(open_backbone("onnx", {{"file", scratch / "none.onnx"}}), Contains("none.onnx"));
  write_file_atomically(scratch / "m.pt", "text");
  CHECK_THROWS_WITH(open_backbone("onnx", {{"file", scratch / "m.pt"}}), Contains("expected an .onnx file"));
  const auto wrong_stride = opening("m.xml", {{"layout", "nchw"}, {"stride", 8}});
  CHECK_THROWS_WITH(
      features_of(*wrong_stride, picture(64, 32)),
      Contains("'0' is [1, 8, 2, 4] for 1 images of 64 x 32 px") && Contains("expected [1, D, 4, 8]"));
}

TEST_CASE("onnx: files that are cut off or no models are failures") {
  const Scratch scratch;
  save_patches(scratch / "m.xml");
  const std::string text = read_file(scratch / "m.xml"), weights = read_file(scratch / "m.bin");
  const auto code_of = [&](const std::string& file) -> std::string {
    try {
      open_backbone("onnx", {{"file", scratch / file}, {"layout", "nchw"}});
    } catch (const Failure& failure) {
      return failure.code();
    }
    return "";
  };
  for (const std::size_t size : {std::size_t{0}, std::size_t{10}, text.size() / 2, text.size() - 4}) {
    write_file_atomically(scratch / "half.xml", text.substr(0, size));
    write_file_atomically(scratch / "half.bin", weights);
    CHECK(code_of("half.xml") == code::kBadFormat);
  }
  write_file_atomically(scratch / "short.xml", text);
  write_file_atomically(scratch / "short.bin", weights.substr(0, weights.size() / 2));
  CHECK(code_of("short.xml") == code::kBadFormat);
  write_file_atomically(scratch / "text.onnx", "this is no model");
  CHECK(code_of("text.onnx") == code::kBadFormat);
}

TEST_CASE("onnx: the content of each file is in the SHA-256 and in the key of features") {
  const Scratch scratch;
  save_patches(scratch / "m.xml");
  const Json options = in_own_size(scratch / "m.xml", {{"layout", "nchw"}});
  const auto before = open_backbone("onnx", options);
  CHECK(before->weights_sha256() == sha256_hex(sha256_file(scratch / "m.xml") + "  m.xml\n" +
                                               sha256_file(scratch / "m.bin") + "  m.bin\n"));
  CHECK(before->spec().starts_with("onnx file="));
  CHECK(open_backbone(before->spec()) == before);
  const Image image = picture(32, 32);
  const Image* one[] = {&image};
  const auto features = extract_features(*before, one)[0];
  std::string weights = read_file(scratch / "m.bin");
  weights[3] ^= 1;
  write_file_atomically(scratch / "m.bin", weights);
  close_backbones();
  CHECK(extract_features(*open_backbone("onnx", options), one)[0]->key != features->key);
}

TEST_CASE("onnx: external data is found wherever tensors are") {
  const Scratch scratch;
  const std::string initializer = field_of(5, entry_of("location", "a.data") + entry_of("offset", "4096"));
  const std::string attribute = field_of(1, field_of(5, field_of(5, entry_of("location", "sub/b.data"))));
  const std::string subgraph = field_of(1, field_of(5, field_of(6, initializer)));
  const std::string function_model = field_of(7, initializer + attribute + subgraph);
  write_file_atomically(scratch / "m.onnx", function_model);
  CHECK(external_files_of_onnx(scratch / "m.onnx") == std::vector<std::string>{"a.data", "sub/b.data"});
  for (std::size_t size = 0; size < function_model.size(); ++size) {
    write_file_atomically(scratch / "cut.onnx", function_model.substr(0, size), false);
    CHECK_THROWS_AS(external_files_of_onnx(scratch / "cut.onnx"), Failure);
  }
  for (const char* outside : {"/etc/passwd", "../x", "a/../../x", ""}) {
    write_file_atomically(scratch / "out.onnx", field_of(7, field_of(5, entry_of("location", outside))));
    CHECK_THROWS_WITH(external_files_of_onnx(scratch / "out.onnx"), Contains("is not in the model's folder"));
  }
  std::string nested;
  for (int i = 0; i < 500; ++i) nested = field_of(1, field_of(5, field_of(6, nested)));
  write_file_atomically(scratch / "nested.onnx", field_of(7, nested));
  CHECK_THROWS_AS(external_files_of_onnx(scratch / "nested.onnx"), Failure);
}

void save_script(const std::string& path, const std::string& body) {
  torch::jit::Module module("patches");
  module.register_parameter("weights", patch_weights(), false);
  module.define("def forward(self, x):\n  m = torch.conv2d(x, self.weights, None, [16, 16])\n  " + body +
                "\n");
  module.save(path);
}

TEST_CASE("torchscript: a tensor, a tuple and a dictionary, in every layout") {
  const Scratch scratch;
  save_script(scratch / "map.pt", "return m");
  save_script(scratch / "tuple.pt", "return m.mean([2, 3]), m.permute(0, 2, 3, 1)");
  save_script(scratch / "dict.pt", "return {'cls': m.amax([2, 3]), 'list': m.flatten(2).transpose(1, 2)}");
  const Image image = picture(96, 64);
  const at::Tensor expected = expected_tokens(image);
  const auto features = [&](const char* file, const Json& more) {
    return features_of(*open_backbone("torchscript", in_own_size(scratch / file, more)), image);
  };
  const Features map = features("map.pt", {{"layout", "nchw"}});
  CHECK(difference(map.tokens, expected) < 1e-5);
  const Features tuple = features("tuple.pt", {{"layout", "nhwc"}, {"tokens", "1"}, {"global", "0"}});
  CHECK(difference(tuple.tokens, expected) < 1e-5);
  CHECK(difference(tuple.global, expected.mean(0)) < 1e-5);
  const Features dict = features("dict.pt", {{"tokens", "list"}, {"global", "cls"}});
  CHECK(difference(dict.tokens, expected) < 1e-5);
  CHECK(difference(dict.global, expected.amax(0)) < 1e-5);
  CHECK(dict.rows == 4);
}

TEST_CASE("torchscript: what does not fit is named; files that are none are failures") {
  const Scratch scratch;
  save_script(scratch / "dict.pt", "return {'list': m.flatten(2).transpose(1, 2)}");
  const Image image = picture(64, 64);
  const auto wrong = open_backbone("torchscript", in_own_size(scratch / "dict.pt", {{"tokens", "map"}}));
  CHECK_THROWS_WITH(features_of(*wrong, image), Contains("no output 'map'") && Contains("0 'list' [1,16,8]"));
  const auto prefix = open_backbone("torchscript", in_own_size(scratch / "dict.pt", {{"prefix_tokens", 1}}));
  CHECK_THROWS_WITH(features_of(*prefix, image),
                    Contains("[1, 16, 8]") && Contains("expected [1, 1 + 4 x 4, D]"));
  save_script(scratch / "fixed.pt", "return m.view(1, 8, 9)");
  const auto fixed = open_backbone("torchscript", in_own_size(scratch / "fixed.pt", {}));
  CHECK_THROWS_WITH(features_of(*fixed, image), Contains("it fails for 1 images of 64 x 64 px"));
  const std::string whole = read_file(scratch / "dict.pt");
  for (const std::size_t size : {std::size_t{0}, std::size_t{100}, whole.size() / 2, whole.size() - 10}) {
    write_file_atomically(scratch / "cut.pt", whole.substr(0, size));
    CHECK_THROWS_AS(open_backbone("torchscript", {{"file", scratch / "cut.pt"}}), Failure);
  }
  CHECK_THROWS_WITH(open_backbone("torchscript"), Contains("file: expected"));
}

}  // namespace
