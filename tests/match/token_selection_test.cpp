// SPDX-License-Identifier: Apache-2.0
#include "match/token_selection.h"

#include <limits>

#include "base/error.h"
#include "match/token_sets.h"

// Last: c10 has a CHECK of its own.
#include "catch.h"

using namespace imatch;
using imatch::testing::features_of;
using imatch::testing::random_features;

namespace {

std::vector<std::int64_t> selected(const Features& f, double keypoint_th, int max_features) {
  const at::Tensor indices = select_tokens(f, {keypoint_th, max_features}, "a").indices;
  const auto* first = indices.const_data_ptr<std::int64_t>();
  return {first, first + indices.numel()};
}

/// One-dimensional tokens of the given lengths.
Features lengths(const std::vector<float>& norms) {
  return features_of(1, static_cast<int>(norms.size()), norms);
}

}  // namespace

TEST_CASE("tokens are kept by their min-max normalised norm") {
  const Features f = lengths({2, 3, 4, 12, 7});  // normalised 0, .1, .2, 1, .5
  CHECK(selected(f, 0, 100) == std::vector<std::int64_t>{0, 1, 2, 3, 4});
  CHECK(selected(f, 0.1, 100) == std::vector<std::int64_t>{1, 2, 3, 4});
  CHECK(selected(f, 0.11, 100) == std::vector<std::int64_t>{2, 3, 4});
  CHECK(selected(f, 0.5, 100) == std::vector<std::int64_t>{3, 4});
  CHECK(selected(f, 1, 100) == std::vector<std::int64_t>{3});
}

TEST_CASE("norms that differ by rounding only keep every token") {
  CHECK(selected(lengths({1, 1.0000001f, 0.9999999f}), 0.5, 100).size() == 3);
  CHECK(selected(lengths({0, 0}), 0.5, 100).size() == 2);
  CHECK(selected(lengths({5}), 1, 100).size() == 1);
  // Unit vectors, rounded by their type; then the same with one shorter token, which is no rounding.
  const at::Tensor unit = select_tokens(random_features(20, 20, 8, 3), {0, 1000}, "a").unit;
  for (const at::ScalarType type : {at::kFloat, at::kHalf, at::kBFloat16}) {
    Features f = random_features(20, 20, 8, 3);
    f.tokens = unit.to(type);
    CHECK(selected(f, 0.9, 1000).size() == 400);
    f.tokens = unit.clone();
    f.tokens.narrow(0, 7, 1).mul_(0.9);
    f.tokens = f.tokens.to(type);
    CHECK(selected(f, 0.5, 1000).size() == 399);
  }
}

TEST_CASE("at most max_features tokens stay, evenly spaced by index") {
  const Features f = random_features(1, 10, 3, 1);
  CHECK(selected(f, 0, 10).size() == 10);
  CHECK(selected(f, 0, 4) == std::vector<std::int64_t>{0, 3, 6, 9});
  CHECK(selected(f, 0, 3) == std::vector<std::int64_t>{0, 4, 9});  // linspace(0, 9, 3) = 0, 4.5, 9
  CHECK(selected(f, 0, 2) == std::vector<std::int64_t>{0, 9});
  CHECK(selected(f, 0, 1) == std::vector<std::int64_t>{0});
  CHECK(selected(f, 0, 9) == std::vector<std::int64_t>{0, 1, 2, 3, 4, 5, 6, 7, 9});
}

TEST_CASE("selected tokens have length 1, zero tokens stay zero") {
  const Features f = features_of(1, 3, {3, 4, 0, 0, 0, -2});
  const at::Tensor unit = select_tokens(f, {0, 100}, "a").unit;
  const float* u = unit.const_data_ptr<float>();
  CHECK(u[0] == Approx(0.6));
  CHECK(u[1] == Approx(0.8));
  CHECK((u[2] == 0 && u[3] == 0));
  CHECK(u[5] == Approx(-1));
}

TEST_CASE("tokens that cannot be used are named") {
  using Catch::Contains;
  Features f = random_features(2, 3, 4, 1);
  f.tokens.mutable_data_ptr<float>()[4 * 4 + 1] = std::numeric_limits<float>::quiet_NaN();
  CHECK_THROWS_WITH(select_tokens(f, {}, "b"),
                    Contains("tokens of b: token 4 (row 1, column 1)") && Contains("NaN"));
  f.tokens.mutable_data_ptr<float>()[4 * 4 + 1] = std::numeric_limits<float>::infinity();
  CHECK_THROWS_AS(select_tokens(f, {}, "a"), Error);
  f = random_features(2, 3, 4, 1);
  f.rows = 3;
  CHECK_THROWS_WITH(select_tokens(f, {}, "a"), "tokens of a: 6 tokens do not fill the grid of 3 x 3 = 9");
  f.tokens = f.tokens.to(at::kLong);
  CHECK_THROWS_WITH(select_tokens(f, {}, "a"), Contains("Long") && Contains("floating point"));
  CHECK_THROWS_WITH(select_tokens(Features{}, {}, "a"), Contains("there are none"));
}

TEST_CASE("an image without tokens has an empty selection") {
  const SelectedTokens none = select_tokens(features_of(0, 0, {}), {}, "a");
  CHECK(none.indices.numel() == 0);
  CHECK(none.unit.sizes() == at::IntArrayRef{0, 4});
}
