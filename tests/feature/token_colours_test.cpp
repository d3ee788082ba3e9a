// SPDX-License-Identifier: Apache-2.0
#include "feature/token_colours.h"

#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <limits>
#include "catch.h"

#include "base/error.h"

using namespace imatch;

namespace {

Features grid_of(const at::Tensor& tokens, int rows, int cols) {
  Features f;
  f.rows = rows, f.cols = cols;
  f.global = at::ones({1});
  f.tokens = tokens;
  return f;
}

}  // namespace

TEST_CASE("the direction of most variance is red, and one colour means one thing in every picture",
          "[token_colours]") {
  // Values along (3, 4) / 5, with a little of the other direction.
  at::Tensor a = at::zeros({6, 2}), b = at::zeros({4, 2});
  for (int i = 0; i < 10; ++i) {
    at::Tensor& t = i < 6 ? a : b;
    const int row = i < 6 ? i : i - 6;
    t.index_put_({at::tensor(row), at::tensor(0)}, at::tensor(0.6F * i));
    t.index_put_({at::tensor(row), at::tensor(1)}, at::tensor(0.8F * i));
  }
  const Features fa = grid_of(a, 2, 3), fb = grid_of(b, 1, 4);
  const Features* list[] = {&fa, &fb};
  const std::vector<Image> pictures = token_colours(list);
  REQUIRE(pictures.size() == 2);
  CHECK((pictures[0].width == 3 && pictures[0].height == 2));
  CHECK((pictures[1].width == 4 && pictures[1].height == 1));
  for (int i = 0; i < 10; ++i) {
    const std::uint8_t* rgb = i < 6 ? pictures[0].pixel(i % 3, i / 3) : pictures[1].pixel(i - 6, 0);
    CHECK(std::abs(rgb[0] - 255 * i / 9.0) <= 1);
    CHECK(rgb[2] == 128);  // there is no third component
  }
}

TEST_CASE("token_colours refuses what has no colours", "[token_colours]") {
  CHECK_THROWS_AS(token_colours({}), Error);
  const Features two = grid_of(at::ones({4, 2}), 2, 2), three = grid_of(at::ones({4, 3}), 2, 2);
  const Features* mixed[] = {&two, &three};
  CHECK_THROWS_WITH(token_colours(mixed), Catch::Contains("one backbone"));
  const Features bad = grid_of(at::ones({4, 2}).mul(std::numeric_limits<float>::quiet_NaN()), 2, 2);
  const Features* alone[] = {&bad};
  CHECK_THROWS_WITH(token_colours(alone), Catch::Contains("NaN"));
}
