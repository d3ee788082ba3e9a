// SPDX-License-Identifier: Apache-2.0
#include "image/normalize.h"

#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>

#include <limits>
#include "catch.h"

#include "base/error.h"
#include "image/statistics.h"
#include "pictures.h"

using namespace imatch;
using namespace imatch::testing;
using Catch::Matchers::Contains;

TEST_CASE("normalize equals ToTensor and Normalize done with ATen's own operators") {
  const Image a = noise(19, 11, 1), b = noise(19, 11, 2);
  for (const std::string_view name : kNormalizations) {
    const Normalization& by = normalization(name);
    const Image* const both[] = {&a, &b};
    const at::Tensor result = normalize(both, by);
    CHECK(result.sizes() == at::IntArrayRef({2, 3, 11, 19}));
    for (int n = 0; n < 2; ++n) {
      const at::Tensor bytes =
          at::tensor(std::vector<std::int64_t>(both[n]->rgb.begin(), both[n]->rgb.end()));
      const at::Tensor planes = bytes.to(at::kFloat).div(255).view({11, 19, 3}).permute({2, 0, 1});
      const at::Tensor mean = at::tensor(std::vector<float>(by.mean.begin(), by.mean.end())).view({3, 1, 1});
      const at::Tensor std = at::tensor(std::vector<float>(by.std.begin(), by.std.end())).view({3, 1, 1});
      CHECK(at::equal(result[n], planes.sub(mean).div(std)));
    }
  }
}

TEST_CASE("denormalize gives the picture back") {
  const Image a = noise(31, 17, 1), b = noise(31, 17, 2);
  const Image* const both[] = {&a, &b};
  for (const std::string_view name : kNormalizations) {
    const at::Tensor tensor = normalize(both, normalization(name));
    CHECK(max_difference(denormalize(tensor, normalization(name), 1), b) == 0);
    CHECK(max_difference(denormalize(tensor[0], normalization(name)), a) == 0);
    CHECK(max_difference(denormalize(tensor.to(at::kDouble), normalization(name)), a) == 0);
  }
  const Normalization& none = normalization("none");
  CHECK(denormalize(at::full({3, 1, 1}, 7.0), none).rgb[0] == 255);
  CHECK(denormalize(at::full({3, 1, 1}, -7.0), none).rgb[0] == 0);
  CHECK(denormalize(at::full({3, 1, 1}, std::numeric_limits<double>::quiet_NaN()), none).rgb[0] == 0);
}

TEST_CASE("normalize refuses what does not fit") {
  const Image a(4, 3), b(3, 4);
  const Image* const both[] = {&a, &b};
  CHECK_THROWS_WITH(normalize(both, normalization("half")), Contains("4 x 3 and 3 x 4"));
  CHECK_THROWS_AS(normalize(std::span<const Image* const>{}, normalization("half")), Error);
  CHECK_THROWS_WITH(normalization("imagnet"),
                    Contains("'imagnet'") && Contains("'imagenet', 'sat493m', 'half', 'none'"));
  CHECK_THROWS_AS(denormalize(at::full({2, 1, 1}, 0.0), normalization("half")), Error);
  CHECK_THROWS_WITH(denormalize(at::full({2, 3, 1, 1}, 0.0), normalization("half"), 2), Contains("[0, 1]"));
}

TEST_CASE("statistics equal the two-pass formulas, whatever the order and the parts") {
  const Image a = noise(50, 40, 3), b = waves(30, 20);
  ChannelStatistics all, first, second;
  all.add(a);
  all.add(b);
  second.add(a);
  first.add(b);
  first.merge(second);
  for (std::size_t c = 0; c < 3; ++c) {
    double sum = 0, squares = 0;
    for (const Image* image : {&a, &b})
      for (std::size_t i = c; i < image->rgb.size(); i += 3) sum += image->rgb[i] / 255.0;
    const double mean = sum / 2600;
    for (const Image* image : {&a, &b})
      for (std::size_t i = c; i < image->rgb.size(); i += 3)
        squares += std::pow(image->rgb[i] / 255.0 - mean, 2);
    CHECK(all.mean()[c] == Approx(mean).epsilon(1e-12));
    CHECK(all.std()[c] == Approx(std::sqrt(squares / 2600)).epsilon(1e-12));
    CHECK(first.mean()[c] == all.mean()[c]);
    CHECK(first.std()[c] == all.std()[c]);
  }
  Image flat(100, 100);
  std::fill(flat.rgb.begin(), flat.rgb.end(), std::uint8_t{201});
  ChannelStatistics one;
  one.add(flat);
  CHECK(one.std()[0] == 0);
  CHECK_THROWS_AS(ChannelStatistics().mean(), Error);
}
