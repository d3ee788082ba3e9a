// SPDX-License-Identifier: Apache-2.0
#include "match/nearest.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/stop.h"
#include "match/maxima.h"
#include "match/token_sets.h"

// Last: c10 has a CHECK of its own.
#include "catch.h"

using namespace imatch;
using imatch::testing::features_of;
using imatch::testing::random_features;

namespace {

float dot(const at::Tensor& a, std::int64_t i, const at::Tensor& b, std::int64_t j) {
  double sum = 0;
  const std::int64_t dim = a.size(1);
  for (std::int64_t d = 0; d < dim; ++d)
    sum += double{a.const_data_ptr<float>()[i * dim + d]} * b.const_data_ptr<float>()[j * dim + d];
  return static_cast<float>(sum);
}

double cosine(const Features& a, std::int64_t i, const Features& b, std::int64_t j) {
  return dot(a.tokens, i, b.tokens, j) /
         std::sqrt(double{dot(a.tokens, i, a.tokens, i)} * dot(b.tokens, j, b.tokens, j));
}

constexpr MutualNearestOptions kNoFilter{
    .max_features = 100000, .keypoint_th = 0, .match_th = -1, .line_th = 0};

}  // namespace

TEST_CASE("maxima of a product do not depend on the size of the blocks") {
  const at::Tensor a = random_features(1, 37, 8, 1).tokens, b = random_features(1, 53, 8, 2).tokens;
  const Maxima whole = product_maxima(a, b);
  for (const std::int64_t block : {1, 53, 200, 53 * 36, 1 << 20}) {
    const Maxima blocks = product_maxima(a, b, block);
    CHECK(blocks.row_index == whole.row_index);
    CHECK(blocks.col_index == whole.col_index);
  }
  for (std::int64_t i = 0; i < 37; ++i) {
    float best = -1e30f;
    std::int64_t where = -1;
    for (std::int64_t j = 0; j < 53; ++j)
      if (const float value = dot(a, i, b, j); value > best) best = value, where = j;
    CHECK(whole.row_index[i] == where);
    CHECK(whole.row_value[i] == Approx(best));
  }
  for (std::int64_t j = 0; j < 53; ++j) {
    float best = -1e30f;
    std::int64_t where = -1;
    for (std::int64_t i = 0; i < 37; ++i)
      if (const float value = dot(a, i, b, j); value > best) best = value, where = i;
    CHECK(whole.col_index[j] == where);
    CHECK(whole.col_value[j] == Approx(best));
  }
}

TEST_CASE("of equal values the first one is the maximum") {
  const at::Tensor a = features_of(1, 5, {1, 2, 2, 1, 2}).tokens, b = features_of(1, 3, {3, 3, 1}).tokens;
  for (const std::int64_t block : {3, 6, 100}) {
    const Maxima m = product_maxima(a, b, block);
    CHECK(m.row_index == std::vector<std::int64_t>{0, 0, 0, 0, 0});
    CHECK(m.col_index == std::vector<std::int64_t>{1, 1, 1});
  }
}

TEST_CASE("mutual nearest neighbours agree with their definition") {
  const Features a = random_features(6, 7, 5, 3), b = random_features(5, 9, 5, 4);
  const Matches m = mutual_nearest(a, b, kNoFilter);
  std::set<std::pair<int, int>> expected;
  for (int i = 0; i < 42; ++i) {
    int to = 0, back = 0;
    for (int j = 0; j < 45; ++j)
      if (cosine(a, i, b, j) > cosine(a, i, b, to)) to = j;
    for (int k = 0; k < 42; ++k)
      if (cosine(a, k, b, to) > cosine(a, back, b, to)) back = k;
    if (back == i) expected.emplace(i, to);
  }
  std::set<std::pair<int, int>> found;
  for (std::size_t k = 0; k < m.size(); ++k) {
    found.emplace(m.idx_a[k], m.idx_b[k]);
    CHECK(m.similarity[k] == Approx(cosine(a, m.idx_a[k], b, m.idx_b[k])).margin(1e-6));
    CHECK(m.points_a[k].x == 16 * (m.idx_a[k] % 7 + 0.5));
    CHECK(m.points_b[k].y == 16 * (m.idx_b[k] / 9 + 0.5));
  }
  CHECK(found == expected);
  CHECK(std::is_sorted(m.similarity.rbegin(), m.similarity.rend()));
  CHECK(m.n_a == 42);
  CHECK(m.n_selected_b == 45);
  CHECK(m.cell_a_px == 16);
  CHECK((m.width_b == 144 && m.height_b == 80 && m.rows_b == 5 && m.cols_b == 9));
}

TEST_CASE("matching b with a mirrors matching a with b") {
  // Repeated tokens bring exact ties.
  Features a = random_features(5, 8, 4, 5), b = random_features(5, 8, 4, 6);
  for (const int token : {3, 9, 17, 30})
    for (int d = 0; d < 4; ++d) {
      a.tokens.mutable_data_ptr<float>()[token * 4 + d] = a.tokens.const_data_ptr<float>()[d];
      b.tokens.mutable_data_ptr<float>()[token * 4 + d] = a.tokens.const_data_ptr<float>()[d];
    }
  const Matches ab = mutual_nearest(a, b, kNoFilter), ba = mutual_nearest(b, a, kNoFilter);
  std::set<std::pair<int, int>> forward, backward;
  for (std::size_t k = 0; k < ab.size(); ++k) forward.emplace(ab.idx_a[k], ab.idx_b[k]);
  for (std::size_t k = 0; k < ba.size(); ++k) backward.emplace(ba.idx_b[k], ba.idx_a[k]);
  CHECK(forward == backward);
  CHECK(forward.contains({0, 3}));
}

TEST_CASE("an image matches itself token by token") {
  const Features a = random_features(12, 12, 16, 7);
  const Matches m = mutual_nearest(a, a);
  CHECK(m.size() == static_cast<std::size_t>(m.n_selected_a));
  for (std::size_t k = 0; k < m.size(); ++k) {
    CHECK(m.idx_a[k] == m.idx_b[k]);
    CHECK(m.similarity[k] == Approx(1));
    CHECK(m.similarity[k] <= 1);
  }
}

TEST_CASE("thresholds on similarity") {
  // Cosines of the mutual pairs: 1, 0.8, 0.1 (orthonormal axes of b against tilted tokens of a).
  const Features a = features_of(1, 3, {1, 0, 0, 0, 0, 0.8f, 0, 0.6f, 0, 0, 0.1f, 0.99498743f});
  const Features b = features_of(1, 3, {1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0});
  const auto count = [&](double match_th, double line_th) {
    MutualNearestOptions options = kNoFilter;
    options.match_th = match_th;
    options.line_th = line_th;
    return mutual_nearest(a, b, options).size();
  };
  CHECK(count(-1, 0) == 3);
  CHECK(count(0.2, 0) == 2);
  CHECK(count(0.9, 0) == 1);
  CHECK(count(-1, 0.05) == 3);
  CHECK(count(-1, 0.5) == 2);
  CHECK(count(-1, 1) == 1);
  const Features away = features_of(1, 1, {-1, -0.5f, 0, 0});
  const auto opposite = [&](double match_th) {
    MutualNearestOptions options = kNoFilter;
    options.match_th = match_th;
    options.line_th = 0.9;
    return mutual_nearest(features_of(1, 1, {1, 0, 0, 0}), away, options);
  };
  CHECK(opposite(-1).size() == 1);  // a negative best still passes line_th
  CHECK(opposite(-1).similarity[0] < 0);
  CHECK(opposite(0).size() == 0);
}

TEST_CASE("unique decides about tokens of exactly equal similarity") {
  const Features a = features_of(1, 4, {0, 1, 1, 0, 0, 1, 0, 1}), b = features_of(1, 2, {0, 2, 3, 0});
  const Matches one = mutual_nearest(a, b, kNoFilter);
  CHECK(one.idx_a == std::vector<std::int32_t>{0, 1});
  CHECK(one.idx_b == std::vector<std::int32_t>{0, 1});
  MutualNearestOptions options = kNoFilter;
  options.unique = false;
  const Matches all = mutual_nearest(a, b, options);
  CHECK(all.idx_a == std::vector<std::int32_t>{0, 1, 2, 3});
  CHECK(all.idx_b == std::vector<std::int32_t>{0, 1, 0, 0});
}

TEST_CASE("half precision tokens are matched in float32") {
  Features a = random_features(8, 8, 32, 8), b = random_features(8, 8, 32, 9);
  for (const at::ScalarType type : {at::kHalf, at::kBFloat16}) {
    Features low_a = a, low_b = b, up_a = a, up_b = b;
    low_a.tokens = a.tokens.to(type);
    low_b.tokens = b.tokens.to(type);
    up_a.tokens = low_a.tokens.to(at::kFloat);
    up_b.tokens = low_b.tokens.to(at::kFloat);
    const Matches low = mutual_nearest(low_a, low_b), up = mutual_nearest(up_a, up_b);
    CHECK(low.idx_a == up.idx_a);
    CHECK(low.similarity == up.similarity);
  }
}

TEST_CASE("features that cannot be compared are refused with both sides named") {
  using Catch::Contains;
  const Features a = random_features(2, 2, 4, 1);
  CHECK_THROWS_WITH(mutual_nearest(a, random_features(2, 2, 5, 1)), Contains("4 dimensions, those of b 5"));
  Features b = a;
  b.backbone = "other stage=8";
  CHECK_THROWS_WITH(mutual_nearest(a, b), Contains("'test'") && Contains("'other stage=8'"));
  CHECK_THROWS_AS(mutual_nearest(Features{}, Features{}), Error);
}

TEST_CASE("an image without tokens has no matches") {
  const Features none = features_of(0, 0, {}), some = random_features(3, 3, 4, 1);
  CHECK(mutual_nearest(none, some).size() == 0);
  CHECK(mutual_nearest(some, none).n_selected_a == 9 - 1);  // the weakest token has the normalised norm 0
  CHECK(mutual_nearest(none, none).size() == 0);
}

TEST_CASE("pairs are computed once for all thresholds when the features have keys") {
  const Features a = random_features(4, 4, 8, 1, "key-a"), b = random_features(4, 4, 8, 2, "key-b");
  const auto once = mutual_pairs(a, b, {});
  CHECK(mutual_pairs(a, b, {}) == once);
  CHECK(mutual_pairs(b, a, {}) != once);
  CHECK(mutual_pairs(a, b, {.keypoint_th = 0.5}) != once);
  CHECK(mutual_pairs(a, b, {.max_features = 5})->n_selected_a == 5);
  Features nameless = a;
  nameless.key.clear();
  CHECK(mutual_pairs(nameless, b, {}) != mutual_pairs(nameless, b, {}));
}

TEST_CASE("a stop request ends matching") {
  const Features a = random_features(2, 2, 4, 1);
  request_stop();
  CHECK_THROWS_AS(mutual_nearest(a, a), Interrupted);
  clear_stop();
  CHECK(mutual_nearest(a, a).size() > 0);
}
