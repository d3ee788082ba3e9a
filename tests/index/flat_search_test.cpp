// SPDX-License-Identifier: Apache-2.0
#include "index/flat_search.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <random>
#include <vector>
#include "catch.h"

#include "base/threads.h"

namespace imatch {
namespace {

using Floats = std::vector<float>;

struct Found {
  Floats scores;
  std::vector<std::int64_t> ids;
  bool operator==(const Found&) const = default;
};

Floats normal_vectors(std::int64_t count, std::int64_t dim, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> draw;
  Floats values(static_cast<std::size_t>(count * dim));
  for (float& value : values) value = draw(random);
  return values;
}

Found searched(const FlatVectors& base, Metric metric, const Floats& queries, std::int64_t k) {
  const auto num_queries = static_cast<std::int64_t>(queries.size()) / base.dim;
  Found found{Floats(static_cast<std::size_t>(num_queries * k)),
              std::vector<std::int64_t>(found.scores.size())};
  found.ids.resize(found.scores.size());
  flat_search(base, metric, queries.data(), num_queries, k, found.scores.data(), found.ids.data());
  return found;
}

FlatVectors flat(const Floats& values, std::int64_t dim, const std::int64_t* ids = nullptr) {
  return {reinterpret_cast<const std::byte*>(values.data()), static_cast<std::int64_t>(values.size()) / dim,
          dim, ids};
}

/// All scores in float64, sorted as they stand in a result: by score as float32, then by id.
Found by_definition(const Floats& base, const Floats& queries, std::int64_t dim, std::int64_t k,
                    Metric metric, const std::vector<std::int64_t>& ids) {
  Found found;
  for (std::size_t q = 0; q < queries.size(); q += static_cast<std::size_t>(dim)) {
    std::vector<std::pair<float, std::int64_t>> all;
    for (std::size_t row = 0; row < base.size(); row += static_cast<std::size_t>(dim)) {
      double score = 0;
      for (std::size_t i = 0; i < static_cast<std::size_t>(dim); ++i) {
        const double a = queries[q + i], b = base[row + i];
        score += metric == Metric::kInnerProduct ? a * b : (a - b) * (a - b);
      }
      all.emplace_back(static_cast<float>(score), ids[row / static_cast<std::size_t>(dim)]);
    }
    std::sort(all.begin(), all.end(), [metric](const auto& a, const auto& b) {
      return a.first != b.first ? (metric == Metric::kInnerProduct) == (a.first > b.first)
                                : a.second < b.second;
    });
    for (std::size_t i = 0; i < static_cast<std::size_t>(k); ++i) {
      found.scores.push_back(all[i].first);
      found.ids.push_back(all[i].second);
    }
  }
  return found;
}

TEST_CASE("few and many queries find what float64 finds, ties by id, whatever the ids are") {
  constexpr std::int64_t kDim = 19,
                         kCount = 5000;  // no whole vector register, more than one step of either way
  Floats base = normal_vectors(kCount, kDim, 1);
  for (int copy = 0; copy < 40; ++copy)  // more equal vectors than k and its spare candidates
    std::copy_n(base.begin() + 7 * kDim, kDim, base.begin() + (3000 + 11 * copy) * kDim);
  std::vector<std::int64_t> ids(kCount);
  std::iota(ids.begin(), ids.end(), 100);
  std::shuffle(ids.begin(), ids.end(), std::mt19937(2));
  Floats queries = normal_vectors(29, kDim, 3);
  queries.insert(queries.end(), base.begin() + 7 * kDim, base.begin() + 8 * kDim);
  for (const Metric metric : {Metric::kInnerProduct, Metric::kL2}) {
    INFO(metric_name(metric));
    const Found expected = by_definition(base, queries, kDim, 12, metric, ids);
    const Found many = searched(flat(base, kDim, ids.data()), metric, queries, 12);
    CHECK(many.ids == expected.ids);
    for (std::size_t i = 0; i < many.scores.size(); ++i)
      CHECK(many.scores[i] == Approx(expected.scores[i]).epsilon(1e-6).margin(1e-6));
    for (std::size_t q = 0; q < 30; q += 5) {  // one at a time: the other way through the vectors
      const Found one = searched(flat(base, kDim, ids.data()), metric,
                                 Floats(queries.begin() + static_cast<std::ptrdiff_t>(q) * kDim,
                                        queries.begin() + static_cast<std::ptrdiff_t>(q + 1) * kDim),
                                 12);
      CHECK(
          std::equal(one.ids.begin(), one.ids.end(), many.ids.begin() + static_cast<std::ptrdiff_t>(q) * 12));
      CHECK(std::equal(one.scores.begin(), one.scores.end(),
                       many.scores.begin() + static_cast<std::ptrdiff_t>(q) * 12));
    }
  }
}

TEST_CASE("scores that float32 cannot tell apart are told apart by float64") {
  constexpr std::int64_t kDim = 8, kCount = 3000;
  Floats base(static_cast<std::size_t>(kCount * kDim), 0.f);
  // Large values that cancel: their sum in float32 loses what distinguishes the vectors.
  for (std::int64_t row = 0; row < kCount; ++row) {
    float* v = base.data() + row * kDim;
    v[0] = 1e4f;
    v[1] = -1e4f;
    v[2] = static_cast<float>((row * 7919) % kCount) * 1e-4f;
  }
  const Floats query{1e4f, 1e4f, 1.f, 0, 0, 0, 0, 0};
  std::vector<std::int64_t> ids(kCount);
  std::iota(ids.begin(), ids.end(), 0);
  const Found expected = by_definition(base, query, kDim, 10, Metric::kInnerProduct, ids);
  CHECK(searched(flat(base, kDim), Metric::kInnerProduct, query, 10) == expected);
}

TEST_CASE("vectors of a mapped file need not be aligned") {
  const Floats base = normal_vectors(2000, 17, 4), queries = normal_vectors(25, 17, 5);
  std::vector<std::byte> shifted(base.size() * sizeof(float) + 1);
  std::memcpy(shifted.data() + 1, base.data(), base.size() * sizeof(float));
  const FlatVectors odd{shifted.data() + 1, 2000, 17, nullptr};
  for (const Metric metric : {Metric::kInnerProduct, Metric::kL2})
    CHECK(searched(odd, metric, queries, 9) == searched(flat(base, 17), metric, queries, 9));
}

TEST_CASE("the threads do not matter") {
  const Floats base = normal_vectors(6000, 33, 6), queries = normal_vectors(3, 33, 7);
  const int threads = num_threads();
  set_num_threads(1);
  const Found one = searched(flat(base, 33), Metric::kL2, queries, 20);
  set_num_threads(3);
  const Found three = searched(flat(base, 33), Metric::kL2, queries, 20);
  set_num_threads(threads);
  CHECK(one == three);
}

TEST_CASE("places without a neighbour are -1, with a score worse than any") {
  const Floats base = normal_vectors(3, 4, 8), queries = normal_vectors(2, 4, 9);
  for (const Metric metric : {Metric::kInnerProduct, Metric::kL2}) {
    const Found found = searched(flat(base, 4), metric, queries, 5);
    for (const std::size_t q : {0u, 5u}) {
      CHECK(std::vector<std::int64_t>(found.ids.begin() + q + 3, found.ids.begin() + q + 5) ==
            std::vector<std::int64_t>{-1, -1});
      CHECK(found.scores[q + 4] == no_neighbour_score(metric));
      std::vector<std::int64_t> three(found.ids.begin() + q, found.ids.begin() + q + 3);
      std::sort(three.begin(), three.end());
      CHECK(three == std::vector<std::int64_t>{0, 1, 2});
    }
    const Found none = searched({nullptr, 0, 4, nullptr}, metric, queries, 2);
    CHECK(none.ids == std::vector<std::int64_t>(4, -1));
    CHECK(none.scores == Floats(4, no_neighbour_score(metric)));
  }
}

}  // namespace
}  // namespace imatch
