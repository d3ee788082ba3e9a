// SPDX-License-Identifier: Apache-2.0
#include "index/coreset.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/cdist.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include "base/error.h"
#include "base/stop.h"
#include "base/threads.h"
#include "catch.h"
#include "index/row_reservoir.h"
#include "io/npz.h"

namespace imatch {
namespace {

/// The made-up rows of tests/anomaly/upstream.h for which anomalib's picks are known.
at::Tensor rows_of_known_picks() {
  return at::arange(1, 300 * 24 + 1, at::kDouble).mul(0.37).sin().to(at::kFloat).view({300, 24});
}

/// Whether each pick is the farthest row by the N x N matrix, but for rounding.
bool are_farthest(const std::vector<std::int64_t>& picks, const at::Tensor& rows) {
  const at::Tensor all = at::cdist(rows.to(at::kDouble), rows.to(at::kDouble));
  at::Tensor nearest = all[picks.front()].clone();
  for (std::size_t i = 1; i < picks.size(); ++i) {
    if (nearest[picks[i]].item<double>() < (1 - 1e-5) * nearest.max().item<double>()) return false;
    nearest = nearest.minimum(all[picks[i]]);
  }
  return true;
}

std::vector<std::int64_t> list(const at::Tensor& ids) {
  return {ids.const_data_ptr<std::int64_t>(), ids.const_data_ptr<std::int64_t>() + ids.numel()};
}

TEST_CASE("k-centre picks what anomalib picks") {
  const at::Tensor rows = rows_of_known_picks();
  CHECK(list(k_centres(rows, 15, 7, true)) ==
        std::vector<std::int64_t>{7, 76, 298, 200, 288, 187, 236, 239, 12, 293, 32, 156, 267, 9, 45});
  CHECK(list(k_centres(rows, 14, 7, false)) ==
        std::vector<std::int64_t>{76, 298, 200, 288, 187, 236, 239, 12, 293, 32, 156, 267, 9, 45});
  const at::Tensor projection =
      *read_npz(std::string(IMATCH_TEST_FOLDER) + "/anomaly/data/upstream.npz").find("projection");
  CHECK(list(k_centres(rows.mm(projection.t()), 15, 7, true)) ==
        std::vector<std::int64_t>{7, 117, 241, 264, 297, 277, 228, 271, 171, 77, 197, 86, 73, 37, 237});
}

TEST_CASE("k-centre picks what the matrix of all distances says") {
  // Clusters: many rows are left out by the triangle inequality, and the last ones need four at a time.
  const at::Tensor centres = at::rand({12, 37}).mul(20);
  std::vector<at::Tensor> parts;
  for (int i = 0; i < 12; ++i) parts.push_back(centres[i].add(at::rand({401, 37})));
  const at::Tensor rows = at::cat(parts);
  const std::vector<std::int64_t> picks = list(k_centres(rows, 200, 11, true));
  CHECK(picks.front() == 11);
  CHECK(are_farthest(picks, rows));
}

TEST_CASE("the approximate method begins farthest from the mean of its anchors") {
  const at::Tensor rows = at::tensor({0.F, 1.F, 2.F, 9.F, 10.F}).view({5, 1});
  // Mean distances to rows 0 and 1: 0.5 0.5 1.5 8.5 9.5
  CHECK(list(k_centres_from_mean(rows, 3, at::tensor({0, 1}, at::kLong))) ==
        std::vector<std::int64_t>{4, 2, 3});
}

TEST_CASE("a coreset depends on its seed, not on the number of threads") {
  const at::Tensor rows = at::rand({9000, 64});
  const int threads = num_threads();
  for (const char* method : {"greedy", "approximate"}) {
    const CoresetOptions options{.ratio = 0.02, .method = method, .seed = 5};
    const at::Tensor ids = coreset(rows, options);
    CHECK(ids.numel() == 180);
    for (const int n : {1, 3}) {
      set_num_threads(n);
      CHECK(at::equal(coreset(rows, options), ids));
    }
    set_num_threads(threads);
    CoresetOptions other = options;
    other.seed = 6;
    CHECK_FALSE(at::equal(coreset(rows, other), ids));
  }
}

TEST_CASE("the sparse projection keeps distances and has the density of Li, Hastie and Church") {
  const at::Tensor matrix = sparse_projection(1600, 400, 1);
  const at::Tensor set = matrix.ne(0);
  CHECK(set.sum().item<double>() / matrix.numel() == Approx(1.0 / 40).epsilon(0.03));
  CHECK(matrix.abs().max().item<double>() == Approx(std::sqrt(40.0 / 400)));
  CHECK(matrix.gt(0).sum().item<double>() / set.sum().item<double>() == Approx(0.5).epsilon(0.03));
  const at::Tensor rows = at::rand({60, 1600});
  const at::Tensor projected = rows.mm(matrix.t());
  // Without the matrix product, whose rounding would be the distance of a row to itself.
  const at::Tensor before = at::cdist(rows, rows, 2, 2).add(1e-9),
                   after = at::cdist(projected, projected, 2, 2);
  const at::Tensor kept = after.div(before);
  CHECK(kept.sum().item<double>() / (60 * 59) == Approx(1).epsilon(0.05));
  CHECK(kept.max().item<double>() < 1.3);
  CHECK(coreset_dims(1000, 0.9) == 170);
  CHECK(coreset_dims(50000, 0.9) == 267);
  CHECK(coreset_dims(1024000, 0.9) == 341);
}

TEST_CASE("a coreset that cannot be is an error") {
  CHECK_THROWS_WITH(coreset(at::rand({50, 8}), {.ratio = 0.01}), Catch::Contains("leaves none"));
  CHECK_THROWS_AS(k_centres(at::rand({5, 8}), 6, 0, true), Error);
  const at::Tensor twice = at::cat({at::rand({3, 8}), at::zeros({40, 8})});
  try {
    k_centres(twice, 6, 0, true);
    FAIL("more picks than distinct rows");
  } catch (const Failure& failure) {
    CHECK(failure.code() == std::string(code::kNoResult));
    CHECK_THAT(failure.what(), Catch::Contains("only 4 differ"));
  }
}

TEST_CASE("a coreset tells its progress and stops when asked to") {
  const at::Tensor rows = at::rand({3000, 16});
  std::int64_t told = 0;
  const auto progress = [&](std::int64_t picked, std::int64_t total) {
    told = picked;
    CHECK(total == 30);
    if (picked == 20) request_stop();
  };
  CHECK_THROWS_AS(coreset(rows, {.ratio = 0.01}, progress), Interrupted);
  clear_stop();
  CHECK(told == 20);
}

TEST_CASE("a reservoir keeps every row with the same probability, however rows are divided") {
  constexpr std::int64_t n = 200, capacity = 50;
  std::vector<int> times(n);
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    const at::Tensor rows = at::arange(n, at::kFloat).unsqueeze(1);
    RowReservoir whole(capacity, 1, seed), parts(capacity, 1, seed);
    whole.add(rows);
    for (std::int64_t first = 0; first < n; first += 8) parts.add(rows.narrow(0, first, 8));
    CHECK(at::equal(whole.rows(), parts.rows()));
    for (std::int64_t i = 0; i < capacity; ++i)
      ++times[static_cast<std::size_t>(whole.rows()[i].item<float>())];
  }
  // 100 of 400 each: six standard deviations of 8.7.
  for (const int count : times) CHECK(std::abs(count - 100) < 53);
  RowReservoir small(500, 1, 0);
  small.add(at::arange(3, at::kFloat).unsqueeze(1));
  CHECK(small.rows().size(0) == 3);
  CHECK_FALSE(small.sampled());
}

}  // namespace
}  // namespace imatch
