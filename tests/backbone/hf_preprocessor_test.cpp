// SPDX-License-Identifier: Apache-2.0
#include "backbone/hf_preprocessor.h"

#include "catch.h"

#include "base/error.h"

namespace {

using namespace imatch;

TEST_CASE("parse_hf_preprocessor: what is missing is as the classes of transformers have it") {
  const HfPreprocessor third =
      parse_hf_preprocessor({{"image_processor_type", "DINOv3ViTImageProcessor"}}, "f", 0);
  CHECK(third.arithmetic == "float");
  CHECK(third.interpolation == "bilinear");
  REQUIRE(third.steps.stretched);
  CHECK(third.steps.stretched->width == 224);
  CHECK_FALSE(third.steps.crop);
  CHECK(third.normalization.mean[0] == 0.485f);

  const HfPreprocessor second =
      parse_hf_preprocessor({{"image_processor_type", "BitImageProcessorFast"}}, "f", 0);
  CHECK(second.arithmetic == "uint8");
  CHECK(second.interpolation == "bicubic");
  CHECK(second.steps.shorter_px == 224);
  REQUIRE(second.steps.crop);
  CHECK(second.steps.crop->height == 224);
  CHECK(second.normalization.std[2] == 0.27577711f);
}

TEST_CASE("parse_hf_preprocessor: sizes, switches, and samples that are not divided by 255") {
  Json config{{"image_processor_type", "BitImageProcessor"}, {"size", 300}, {"crop_size", 100}};
  CHECK(parse_hf_preprocessor(config, "f", 0).steps.shorter_px == 300);
  CHECK(parse_hf_preprocessor(config, "f", 41).steps.shorter_px == 41);
  CHECK(parse_hf_preprocessor(config, "f", 0).steps.crop->width == 100);
  config["default_to_square"] = true;
  CHECK(parse_hf_preprocessor(config, "f", 0).steps.stretched->height == 300);
  config["do_resize"] = false;
  CHECK(parse_hf_preprocessor(config, "f", 41).steps.shorter_px == 0);
  config["do_center_crop"] = false;
  CHECK_FALSE(parse_hf_preprocessor(config, "f", 0).steps.crop);

  config["rescale_factor"] = 1 / 127.5;
  config["image_mean"] = {1, 1, 1};
  config["image_std"] = {1, 1, 1};
  const Normalization half = parse_hf_preprocessor(config, "f", 0).normalization;  // values in [-1, 1]
  CHECK(half.mean[1] == Approx(0.5));
  CHECK(half.std[1] == Approx(0.5));
  config["do_normalize"] = false;
  config["do_rescale"] = false;
  CHECK(parse_hf_preprocessor(config, "f", 0).normalization.std[0] == Approx(1 / 255.0));
}

TEST_CASE("parse_hf_preprocessor: names what it does not understand") {
  const Json config{{"image_processor_type", "BitImageProcessor"}};
  const auto with = [&](const char* key, const Json& value) {
    Json changed = config;
    changed[key] = value;
    return parse_hf_preprocessor(changed, "file.json", 0);
  };
  CHECK_THROWS_WITH(with("do_flip", true), Catch::Contains("file.json: 'do_flip' is not understood"));
  CHECK_NOTHROW(with("do_flip", nullptr));
  CHECK_THROWS_WITH(with("resample", 0), Catch::Contains("'resample' is 0"));
  CHECK_THROWS_WITH(with("size", Json{{"longest_edge", 3}}), Catch::Contains("'size'"));
  CHECK_THROWS_WITH(with("image_processor_type", "CLIPImageProcessor"),
                    Catch::Contains("'CLIPImageProcessor'"));
  CHECK_THROWS_WITH(with("rescale_factor", 0), Catch::Contains("'rescale_factor' is 0"));
  CHECK_THROWS_AS(parse_hf_preprocessor(Json::array(), "file.json", 0), Failure);
}

}  // namespace
