// SPDX-License-Identifier: Apache-2.0
#include "backbone/working_frame.h"

#include <ATen/TensorOperators.h>

#include "catch.h"

#include "backbone/features_of.h"
#include "backbone/pictures.h"
#include "base/error.h"
#include "image/normalize.h"
#include "image/resize.h"
#include "image/resize_float.h"
#include "image/transform.h"

namespace {

using namespace imatch;
using imatch::testing::difference;
using imatch::testing::picture;

TEST_CASE("WorkingFrame: interpolation and arithmetic say how samples come about") {
  const Image image = picture(61, 45);
  WorkingFrame frame{.mode = "exact", .image_size_px = 32, .interpolation = "bilinear"};
  CHECK(frame.resized(image).rgb == resize_to(image, {32, 32}, "bilinear").rgb);
  CHECK(difference(frame.resized_samples(image),
                   normalize(resize_to(image, {32, 32}, "bilinear"), normalization("none"))[0]) == 0);
  frame.arithmetic = "float";
  CHECK(difference(frame.resized_samples(image), resize_to_float(image, {32, 32}, "bilinear")) == 0);
  CHECK(difference(frame.resized_samples(image), resize_to_float(image, {32, 32}, "bicubic")) > 1e-3);
}

TEST_CASE("WorkingFrame: what is over is cut to what the network takes") {
  WorkingFrame frame{.mode = "shorter_cut", .image_size_px = 45, .stride_px = 32, .multiple_px = 32};
  const Image image = picture(90, 62);
  CHECK(frame.size_of(image).width == 64);
  frame.cut_multiple_px = 4;
  CHECK(frame.size_of(image).width == 64);  // of 65
  CHECK(frame.size_of(image).height == 44);
  frame.mode = "shorter";
  CHECK(frame.size_of(image).height == 32);  // the nearest
}

TEST_CASE("WorkingFrame: the steps of a processor crop the middle, with black beyond the image") {
  const Image image = picture(60, 41);
  WorkingFrame frame{.mode = "processor", .stride_px = 4, .processor = ProcessorSteps{}};
  CHECK(frame.resized(image).rgb == crop(image, 0, 0, 60, 40).rgb);
  frame.processor->crop = ImageSize{33, 20};
  CHECK(frame.resized(image).rgb == crop(image, 13, 10, 32, 20).rgb);
  const Point2 corner = frame.original_from_grid(image)({0, 0}),
               next = frame.original_from_grid(image)({1, 1});
  CHECK(corner.x == 13);
  CHECK(corner.y == 10);
  CHECK(next.x == 17);

  frame.processor->crop = ImageSize{72, 20};
  for (const std::string arithmetic : {"uint8", "float"}) {
    frame.arithmetic = arithmetic;
    const at::Tensor samples = frame.resized_samples(image);
    CHECK(samples.sizes() == at::IntArrayRef{3, 20, 72});
    CHECK(difference(samples.narrow(2, 6, 60),
                     normalize(crop(image, 0, 10, 60, 20), normalization("none"))[0]) < 1e-7);
    CHECK(samples.narrow(2, 0, 6).abs().max().item<double>() == 0);
    CHECK(samples.narrow(2, 66, 6).abs().max().item<double>() == 0);
  }

  frame.processor = ProcessorSteps{.shorter_px = 82};
  CHECK(frame.size_of(image).width == 120);
  CHECK(frame.size_of(image).height == 80);
  frame.processor = ProcessorSteps{.stretched = ImageSize{17, 30}};
  CHECK(frame.size_of(image).width == 16);
  CHECK(frame.size_of(image).height == 28);
  frame.processor->crop = ImageSize{3, 3};
  CHECK_THROWS_AS(frame.size_of(image), Failure);
}

}  // namespace
