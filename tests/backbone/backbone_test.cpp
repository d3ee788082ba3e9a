// SPDX-License-Identifier: Apache-2.0
#include "backbone/backbone.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/stack.h>

#include <algorithm>
#include "catch.h"

#include "backbone/dtype_drift.h"
#include "backbone/extract.h"
#include "backbone/features_of.h"
#include "backbone/network_backbone.h"
#include "backbone/pictures.h"
#include "backbone/spec.h"
#include "base/error.h"
#include "base/stop.h"
#include "feature/pooling.h"
#include "scratch.h"

namespace {

using namespace imatch;
using imatch::testing::difference;
using imatch::testing::features_of;
using imatch::testing::picture;

const Json kEveryBackbone[] = {{{"spec", "dense_sift"}, {"dimensions", 128}},
                               {{"spec", "efficientnet_lite0 stage=8"}, {"dimensions", 40}},
                               {{"spec", "efficientnet_lite0"}, {"dimensions", 112}},
                               {{"spec", "efficientnet_lite0 stage=32"}, {"dimensions", 320}}};

TEST_CASE("backbone kinds: sorted, documented, and every option has its meaning") {
  std::vector<std::string> names;
  for (const BackboneKind& kind : backbone_kinds()) {
    names.push_back(kind.name);
    CHECK_FALSE(kind.doc.empty());
    for (const FieldInfo& option : kind.options) CHECK_FALSE(option.doc.empty());
  }
  CHECK(std::ranges::is_sorted(names));
  for (const char* name :
       {"dense_sift", "efficientnet_lite0", "vitg14_reg", "vit7b16sat", "cxTiny", "wide_resnet50_2"})
    CHECK(std::ranges::count(names, name) == 1);
}

TEST_CASE("open_backbone: one object for one name and options, however they are written") {
  const auto backbone = open_backbone("dense_sift");
  CHECK(backbone == open_backbone("dense_sift", {{"step", 8}}));
  CHECK(backbone == open_backbone("dense_sift step=8 image_size=336"));
  CHECK(backbone == open_backbone("dense_sift step=4", {{"step", 8}}));
  CHECK(backbone == open_backbone("dense_sift", Json()));
  CHECK(backbone != open_backbone("dense_sift step=4"));
  close_backbones();
  const auto again = open_backbone("dense_sift");
  CHECK(backbone != again);
  CHECK(backbone->stride() == 8);  // closed, but still held here
}

TEST_CASE("open_backbone: the specification is canonical and opens the same again") {
  CHECK(open_backbone("dense_sift bin_size=4")->spec() ==
        "dense_sift image_size=336 resize=shorter interpolation=bicubic arithmetic=uint8 step=8 bin_size=4 "
        "global=mean");
  const auto backbone = open_backbone("efficientnet_lite0 stage=8 device=cpu batch_size=3");
  CHECK(backbone->spec() ==
        "efficientnet_lite0 image_size=336 resize=shorter interpolation=bicubic arithmetic=uint8 stage=8 "
        "global=mean dtype=fp32");
  CHECK(open_backbone(backbone->spec())->spec() == backbone->spec());
  CHECK(backbone->weights_sha256() == "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db");
}

TEST_CASE("open_backbone: what it cannot open is named") {
  CHECK_THROWS_WITH(open_backbone("dense_sitf"), Catch::Contains("did you mean 'dense_sift'") &&
                                                     Catch::Contains("dense_sift, efficientnet_lite0"));
  CHECK_THROWS_WITH(open_backbone(""), Catch::Contains("expected one of"));
  CHECK_THROWS_WITH(open_backbone("dense_sift", {{"stepp", 8}}), Catch::Contains("step"));
  CHECK_THROWS_WITH(open_backbone("dense_sift step=0"),
                    Catch::Contains("step: expected") && Catch::Contains("got 0"));
  CHECK_THROWS_AS(open_backbone("dense_sift image_size=16 step=32"), Error);
  CHECK_THROWS_AS(open_backbone("dense_sift", Json{1, 2}), Error);
  CHECK_THROWS_WITH(open_backbone("efficientnet_lite0 stage=12"), Catch::Contains("expected 8, 16 or 32"));
  CHECK_THROWS_WITH(open_backbone("efficientnet_lite0 device=gpu"), Catch::Contains("'gpu'"));
}

TEST_CASE("backbones: shapes and the map to original pixels of an odd, non-square image") {
  const Image image = picture(1279, 957);
  for (const Json& test : kEveryBackbone) {
    const auto backbone = open_backbone(test["spec"]);
    const Features features = features_of(*backbone, image);
    INFO(backbone->spec());
    const int stride = backbone->stride();
    // 449 x 336 after the resize; both sides to whole strides.
    CHECK(features.rows == (stride == 32 ? 11 : 336 / stride));
    CHECK(features.cols == 448 / stride);
    CHECK(features.tokens.sizes() ==
          at::IntArrayRef{features.rows * features.cols, test["dimensions"].get<int>()});
    CHECK(features.tokens.is_contiguous());
    CHECK(features.global.sizes() == at::IntArrayRef{test["dimensions"].get<int>()});
    CHECK(difference(features.global, features.tokens.mean(0)) < 1e-5);
    CHECK(features.image_width == 1279);
    CHECK(features.image_height == 957);
    CHECK(features.backbone == backbone->spec());
    // The corners of the grid are the corners of the image.
    const Point2 begin = features.original_from_grid({0, 0});
    const Point2 end = features.original_from_grid({double(features.cols), double(features.rows)});
    CHECK(begin.x == Approx(0).margin(1e-9));
    CHECK(begin.y == Approx(0).margin(1e-9));
    CHECK(end.x == Approx(1279));
    CHECK(end.y == Approx(957));
  }
}

TEST_CASE("backbones: a mark is found by the token over it") {
  // A small bright cross on grey; the token whose contents differ most from its neighbours' lies on it.
  Image image(400, 300);
  std::fill(image.rgb.begin(), image.rgb.end(), std::uint8_t{110});
  const Point2 mark{283.5, 122.5};
  for (int d = -9; d <= 9; ++d)
    for (int t = -2; t <= 2; ++t)
      for (int channel = 0; channel < 3; ++channel) {
        image.pixel(283 + d, 122 + t)[channel] = 250;
        image.pixel(283 + t, 122 + d)[channel] = 250;
      }
  for (const char* spec : {"dense_sift", "efficientnet_lite0 stage=8", "efficientnet_lite0 stage=16"}) {
    const Features features = features_of(*open_backbone(spec), image);
    const at::Tensor median = std::get<0>(features.tokens.median(0, true));
    const std::int64_t token = (features.tokens - median).square().sum(1).argmax().item<std::int64_t>();
    const Point2 found = features.point(token);
    const double cell = features.original_from_grid.m[0];
    INFO(spec << " found " << found.x << ", " << found.y);
    CHECK(std::abs(found.x - mark.x) <= 1.01 * cell);
    CHECK(std::abs(found.y - mark.y) <= 1.01 * cell);
  }
}

TEST_CASE("backbones: a batch gives what single images give, in their order") {
  const Image images[] = {picture(200, 150), picture(150, 200), picture(200, 150, 9, 4), picture(64, 64),
                          picture(200, 150, 31, 5)};
  std::vector<const Image*> pointers;
  for (const Image& image : images) pointers.push_back(&image);
  for (const char* spec : {"dense_sift image_size=160", "efficientnet_lite0 image_size=160 batch_size=2",
                           "efficientnet_lite0 image_size=160 batch_size=8"}) {
    const auto backbone = open_backbone(spec);
    const std::vector<Features> batch = backbone->extract(pointers);
    REQUIRE(batch.size() == pointers.size());
    for (std::size_t i = 0; i < pointers.size(); ++i) {
      const Features single = features_of(*backbone, images[i]);
      REQUIRE(batch[i].tokens.sizes() == single.tokens.sizes());
      CHECK(difference(batch[i].tokens, single.tokens) <= 1e-5 * single.tokens.abs().max().item<double>());
      CHECK(batch[i].tokens.storage().nbytes() == batch[i].tokens.nbytes());  // keeps no other image alive
      CHECK(batch[i].image_width == images[i].width);
    }
    CHECK(backbone->extract({}).empty());
  }
}

TEST_CASE("backbones: moving a picture by whole strides moves dense_sift's interior tokens exactly") {
  const auto backbone = open_backbone("dense_sift image_size=160");
  const Features still = features_of(*backbone, picture(240, 160));
  const Features moved = features_of(*backbone, picture(240, 160, 16, 8));
  const at::Tensor a = still.tokens.view({20, 30, 128}).slice(0, 2, 17).slice(1, 2, 26);
  const at::Tensor b = moved.tokens.view({20, 30, 128}).slice(0, 3, 18).slice(1, 4, 28);
  CHECK(difference(a, b) == 0);
}

TEST_CASE("backbones: extreme sizes work or say why not") {
  for (const char* spec : {"dense_sift image_size=64", "efficientnet_lite0 image_size=64"}) {
    const auto backbone = open_backbone(spec);
    const Features one = features_of(*backbone, picture(1, 1));
    CHECK(one.rows == one.cols);
    CHECK(std::isfinite(one.tokens.abs().max().item<double>()));
    const Features narrow = features_of(*backbone, picture(30, 4000));
    CHECK(narrow.rows > 100 * narrow.cols);
    CHECK(narrow.original_from_grid({0, double(narrow.rows)}).y == Approx(4000));
  }
  const Image thread = picture(1, 40000);
  CHECK_THROWS_WITH(features_of(*open_backbone("dense_sift"), thread), Catch::Contains("1 x 40000 px"));
  CHECK_THROWS_AS(features_of(*open_backbone("efficientnet_lite0"), thread), Failure);
  CHECK(features_of(*open_backbone("dense_sift resize=longer"), thread).cols == 1);
  CHECK(features_of(*open_backbone("dense_sift resize=exact image_size=64"), thread).rows == 8);
  CHECK_THROWS_AS(features_of(*open_backbone("dense_sift"), Image()), Error);
}

TEST_CASE("backbones: a stop request ends an extraction") {
  const Image image = picture(100, 100);
  const Image* one[] = {&image};
  for (const char* spec : {"dense_sift", "efficientnet_lite0 image_size=64"}) {
    const auto backbone = open_backbone(spec);
    request_stop();
    CHECK_THROWS_AS(backbone->extract(one), Interrupted);
    clear_stop();
  }
}

TEST_CASE("backbones: logits") {
  const Image images[] = {picture(200, 150), picture(150, 200)};
  const Image* both[] = {&images[0], &images[1]};
  const auto backbone = open_backbone("efficientnet_lite0 image_size=96");
  CHECK(classes_of(*backbone) == 1000);
  const at::Tensor logits = class_logits(*backbone, both);
  CHECK(logits.sizes() == at::IntArrayRef{2, 1000});
  const Image* second[] = {&images[1]};
  CHECK(difference(logits[1], class_logits(*backbone, second)[0]) < 1e-4);
  CHECK(difference(logits[0], logits[1]) > 0.1);
  const auto without = open_backbone("dense_sift");
  CHECK(classes_of(*without) == 0);
  CHECK_THROWS_WITH(class_logits(*without, both), Catch::Contains("no classes"));
}

TEST_CASE("extract_features: hits come from the cache, only misses go forward") {
  const testing::Scratch scratch;
  FeatureCache cache({.folder = scratch.path()});
  const Image images[] = {picture(100, 80), picture(120, 80), picture(100, 80), picture(90, 70)};
  const auto backbone = open_backbone("dense_sift image_size=64");
  const Image* first[] = {&images[0], &images[1], &images[2]};
  const auto a = extract_features(*backbone, first, cache);
  CHECK(a[0]->key.size() == 64);
  CHECK(a[0] == a[2]);  // the same picture
  CHECK(a[0]->key != a[1]->key);
  CHECK(cache.statistics().stored == 2);
  const Image* second[] = {&images[3], &images[1], &images[0]};
  const auto b = extract_features(*backbone, second, cache);
  CHECK(cache.statistics().stored == 3);
  CHECK(b[1] == a[1]);
  CHECK(b[2] == a[0]);
  CHECK(difference(b[0]->tokens, features_of(*backbone, images[3]).tokens) == 0);

  FeatureCache later({.folder = scratch.path()});  // another process
  const auto c = extract_features(*backbone, second, later);
  CHECK(later.statistics().disk_hits == 3);
  CHECK(difference(c[1]->tokens, a[1]->tokens) == 0);
  const auto other = extract_features(*open_backbone("dense_sift image_size=64 step=4"), second, later);
  CHECK(other[0]->key != c[0]->key);
  CHECK(other[0]->rows == 2 * c[0]->rows);
}

TEST_CASE("pool_tokens: against hand-made values") {
  const at::Tensor tokens = at::stack({at::arange(4, at::kFloat), at::arange(4, at::kFloat) * 3});
  CHECK(pool_tokens(tokens, "mean").equal(at::arange(4, at::kFloat) * 2));
  const at::Tensor both = pool_tokens(tokens, "mean_std");
  CHECK(both.size(0) == 8);
  CHECK(both[7].item<float>() == Approx(3));  // 3 and 9: 6 +- 3
  CHECK(pool_tokens(tokens, "gem")[2].item<double>() == Approx(std::cbrt((8.0 + 216.0) / 2)));
  CHECK_THROWS_AS(pool_tokens(tokens, "max"), Error);
}

TEST_CASE("dtype_drift: half precision stays near") {
  const Image image = picture(160, 120);
  const Image* one[] = {&image};
  const auto rows = dtype_drift("efficientnet_lite0 image_size=96", {}, one);
  REQUIRE(rows.size() == 4);
  CHECK(rows[0].dtype == "fp32");
  CHECK(rows[0].token_max_abs == 0);
  CHECK(rows[1].token_min_cosine > 0.95);
  CHECK(rows[1].token_max_abs > 0);
  CHECK(rows[2].token_min_cosine > 0.999);
  CHECK(rows[2].global_min_cosine > 0.999);
  CHECK(rows[3].dtype == "int8");
  CHECK(rows[3].token_mean_cosine > 0.98);
  CHECK(rows[3].token_max_abs > 0);
  CHECK_THROWS_WITH(dtype_drift("dense_sift", {}, one), Catch::Contains("dense_sift"));
  CHECK_THROWS_AS(dtype_drift("efficientnet_lite0", {}, {}), Error);
}

}  // namespace
