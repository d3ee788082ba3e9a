// SPDX-License-Identifier: Apache-2.0
#include "image/resize_float.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/_upsample_bicubic2d_aa.h>
#include <ATen/ops/_upsample_bilinear2d_aa.h>
#include <ATen/ops/equal.h>

#include "base/error.h"
#include "catch.h"
#include "image/normalize.h"
#include "pictures.h"

using namespace imatch;
using namespace imatch::testing;

namespace {

at::Tensor zero_to_one(const Image& image) {
  return normalize(image, normalization("none"));
}

}  // namespace

TEST_CASE("resizing in float arithmetic equals PyTorch's antialiased interpolation") {
  const Image sharp = noise(317, 211), smooth = waves(317, 211);
  for (const Image* image : {&sharp, &smooth})
    for (const ImageSize size : {ImageSize{160, 112}, ImageSize{61, 211}, ImageSize{317, 40},
                                 ImageSize{500, 333}, ImageSize{1, 1}, ImageSize{7, 400}}) {
      CAPTURE(size.width, size.height);
      const std::array<std::int64_t, 2> to{size.height, size.width};
      const at::Tensor input = zero_to_one(*image);
      const auto error = [&](std::string_view filter, const at::Tensor& expected) {
        return (resize_to_float(*image, size, filter) - expected[0]).abs().max().item<double>();
      };
      CHECK(error("bilinear", at::_upsample_bilinear2d_aa(input, to, false)) < 2e-6);
      CHECK(error("bicubic", at::_upsample_bicubic2d_aa(input, to, false)) < 4e-6);
    }
}

TEST_CASE("without a change of size, float arithmetic gives the samples themselves") {
  const Image image = noise(40, 31);
  CHECK(at::equal(resize_to_float(image, {40, 31}, "bicubic"), zero_to_one(image)[0]));
  CHECK(at::equal(resize_to_float(image, {40, 31}, "bilinear"), zero_to_one(image)[0]));
}

TEST_CASE("float resizing refuses what resize refuses") {
  CHECK_THROWS_AS(resize_to_float(Image(), {4, 4}, "bilinear"), Error);
  CHECK_THROWS_AS(resize_to_float(Image(4, 4), {0, 4}, "bilinear"), Error);
  CHECK_THROWS_WITH(resize_to_float(Image(2, 2), {1, 1}, "lanczos"), Catch::Matchers::Contains("'lanczos'"));
}
