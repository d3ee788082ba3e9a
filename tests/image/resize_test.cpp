// SPDX-License-Identifier: Apache-2.0
#include "image/resize.h"

#include "catch.h"

#include "base/error.h"
#include "image/resample_weights.h"
#include "pictures.h"

using namespace imatch;
using namespace imatch::testing;

namespace {

std::pair<int, int> size_of(ImageSize original, const ResizeOptions& options) {
  const ImageSize size = resized_size(original, options);
  return {size.width, size.height};
}
using P = std::pair<int, int>;

/// Convolution written down directly in double, with no fixed point and no order of passes: each output pixel
/// from the two-dimensional product of the filters.
double direct(const Image& image, ImageSize size, int x, int y, int channel, double support,
              double (*filter)(double)) {
  const double sx = double(image.width) / size.width, sy = double(image.height) / size.height;
  const double wx = std::max(sx, 1.0), wy = std::max(sy, 1.0);
  double sum = 0, weights = 0;
  for (int v = 0; v < image.height; ++v)
    for (int u = 0; u < image.width; ++u) {
      const double dx = (u + 0.5 - (x + 0.5) * sx) / wx, dy = (v + 0.5 - (y + 0.5) * sy) / wy;
      if (std::abs(dx) > support || std::abs(dy) > support) continue;
      const double weight = filter(dx) * filter(dy);
      sum += weight * image.pixel(u, v)[channel];
      weights += weight;
    }
  return sum / weights;
}

}  // namespace

TEST_CASE("target sizes") {
  CHECK(size_of({1600, 900}, {.mode = "shorter", .size = 224}) == P{398, 224});
  CHECK(size_of({900, 1600}, {.mode = "shorter", .size = 224}) == P{224, 398});
  CHECK(size_of({1600, 900}, {.mode = "longer", .size = 336}) == P{336, 189});
  CHECK(size_of({1600, 900}, {.mode = "longer", .size = 336, .multiple = 14}) == P{336, 196});
  CHECK(size_of({1600, 900}, {.mode = "longer", .size = 336, .multiple = 14, .rounding = "down"}) ==
        P{336, 182});
  CHECK(size_of({1600, 900}, {.mode = "longer", .size = 337, .multiple = 14, .rounding = "up"}) ==
        P{350, 196});
  CHECK(size_of({1600, 900}, {.mode = "exact", .size = 518}) == P{518, 518});
  CHECK(size_of({1600, 900}, {.mode = "exact", .width = 640, .height = 480}) == P{640, 480});
  CHECK(size_of({1601, 895}, {.mode = "keep", .multiple = 16}) == P{1600, 896});
  CHECK(size_of({100, 100}, {.mode = "keep"}) == P{100, 100});
  CHECK(size_of({10000, 3}, {.mode = "longer", .size = 100}) == P{100, 1});
  CHECK(size_of({10000, 3}, {.mode = "longer", .size = 100, .multiple = 14}) == P{98, 14});
  CHECK(size_of({100, 50}, {.mode = "longer", .size = 336, .only_shrink = true}) == P{100, 50});
  CHECK(size_of({100, 50}, {.mode = "longer", .size = 336, .multiple = 14, .only_shrink = true}) ==
        P{98, 56});
}

TEST_CASE("sizes that cannot be are refused with their numbers") {
  using Catch::Matchers::Contains;
  CHECK_THROWS_WITH(resized_size({0, 5}, {}), Contains("0 x 5"));
  CHECK_THROWS_WITH(resized_size({5, 5}, {.mode = "exact", .width = 7}), Contains("7 x 0"));
  CHECK_THROWS_WITH(resized_size({60000, 1}, {.mode = "shorter", .size = 2}), Contains("120000 x 2"));
  CHECK_THROWS_AS(resize(Image(), {}), Error);
  CHECK_THROWS_WITH(resize_to(Image(2, 2), {1, 1}, "lanczos"), Contains("'lanczos'"));
}

TEST_CASE("weights sum to one and cover the whole input") {
  for (const std::string filter : {"bilinear", "bicubic", "area"})
    for (const auto& [in, out] : {P{1600, 224}, P{10, 37}, P{7, 7}, P{3, 1}, P{1, 5}, P{4096, 2048}}) {
      const ResampleWeights weights = resample_weights(in, out, filter);
      CAPTURE(filter, in, out);
      for (int i = 0; i < out; ++i) {
        std::int64_t sum = 0;
        for (int k = 0; k < weights.count[i]; ++k) sum += weights.weight[i * weights.stride + k];
        CHECK(std::abs(sum - (1 << ResampleWeights::kWeightBits)) <= weights.count[i]);
        CHECK(weights.first[i] >= 0);
        CHECK(weights.first[i] + weights.count[i] <= in);
      }
      CHECK(weights.first.front() == 0);
      CHECK(weights.first.back() + weights.count.back() == in);
    }
}

TEST_CASE("a smooth picture equals the two-dimensional convolution") {
  const Image image = waves(61, 47);
  const auto triangle = [](double x) { return std::max(0.0, 1 - std::abs(x)); };
  const auto keys = [](double x) {
    x = std::abs(x);
    return x < 1   ? 1.5 * x * x * x - 2.5 * x * x + 1
           : x < 2 ? -0.5 * x * x * x + 2.5 * x * x - 4 * x + 2
                   : 0.0;
  };
  for (const ImageSize size : {ImageSize{20, 13}, ImageSize{90, 70}, ImageSize{61, 20}, ImageSize{15, 47}}) {
    const Image linear = resize_to(image, size, "bilinear"), cubic = resize_to(image, size, "bicubic");
    for (int y = 0; y < size.height; y += 3)
      for (int x = 0; x < size.width; x += 3)
        for (int c = 0; c < 3; ++c) {
          REQUIRE(std::abs(direct(image, size, x, y, c, 1, triangle) - linear.pixel(x, y)[c]) <= 1.01);
          REQUIRE(std::abs(std::clamp(direct(image, size, x, y, c, 2, keys), 0.0, 255.0) -
                           cubic.pixel(x, y)[c]) <= 1.3);
        }
  }
}

TEST_CASE("area by a whole factor is the mean of the block") {
  const Image image = noise(40, 24);
  const Image small = resize_to(image, {10, 6}, "area");
  for (int y = 0; y < 6; ++y)
    for (int x = 0; x < 10; ++x)
      for (int c = 0; c < 3; ++c) {
        double sum = 0;
        for (int v = 0; v < 4; ++v)
          for (int u = 0; u < 4; ++u) sum += image.pixel(4 * x + u, 4 * y + v)[c];
        REQUIRE(std::abs(sum / 16 - small.pixel(x, y)[c]) <= 1);
      }
}

TEST_CASE("the same size gives the same picture, a flat picture stays flat, one pixel can be made larger") {
  const Image image = noise(33, 21);
  CHECK(max_difference(resize(image, {.mode = "keep"}).image, image) == 0);
  Image flat(50, 40);
  std::fill(flat.rgb.begin(), flat.rgb.end(), std::uint8_t{137});
  for (const std::string filter : {"bilinear", "bicubic", "area"})
    for (const std::uint8_t value : resize_to(flat, {17, 93}, filter).rgb) REQUIRE(value == 137);
  const Image one = resize_to(resize_to(flat, {1, 1}), {5, 3});
  CHECK(one.rgb == std::vector<std::uint8_t>(45, 137));
}

TEST_CASE("the affine map takes corners to corners and centres to where the picture shows them") {
  const Image image = waves(400, 300);
  const Resized resized = resize(image, {.mode = "longer", .size = 112, .multiple = 14});
  const Affine2& map = resized.original_from_resized;
  const Point2 corner = map({double(resized.image.width), double(resized.image.height)});
  CHECK(map({0, 0}).x == 0);
  CHECK(corner.x == Approx(400));
  CHECK(corner.y == Approx(300));
  // A bright spot is found where the map says.
  Image spot(400, 300);
  for (int y = 148; y < 164; ++y)
    for (int x = 240; x < 256; ++x) std::fill_n(spot.pixel(x, y), 3, 255);
  const Resized small = resize(spot, {.mode = "exact", .width = 80, .height = 100});
  double sum = 0, sum_x = 0, sum_y = 0;
  for (int y = 0; y < 100; ++y)
    for (int x = 0; x < 80; ++x) {
      const double v = small.image.pixel(x, y)[0];
      sum += v, sum_x += v * (x + 0.5), sum_y += v * (y + 0.5);
    }
  const Point2 centre = small.original_from_resized({sum_x / sum, sum_y / sum});
  CHECK(centre.x == Approx(248).margin(0.3));
  CHECK(centre.y == Approx(156).margin(0.3));
}
