// SPDX-License-Identifier: Apache-2.0
#include "match/rotation_search.h"

#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>

#include "catch.h"

#include "base/error.h"

using namespace imatch;

namespace {

constexpr int kSide = 8;

Features features(const at::Tensor& tokens, double rotation_deg = 0) {
  Features f;
  f.rows = f.cols = kSide;
  f.global = at::ones({1});
  f.tokens = tokens;
  f.image_width = f.image_height = 10 * kSide;
  f.original_from_grid = {{10, 0, 0, 0, 10, 0}};
  f.rotation_deg = rotation_deg;
  return f;
}

std::shared_ptr<const Features> shared(Features f) {
  return std::make_shared<const Features>(std::move(f));
}

}  // namespace

TEST_CASE("the rotation with most that agree wins, the score of each is told", "[rotation_search]") {
  at::manual_seed(3);
  const at::Tensor tokens = at::randn({kSide * kSide, 16});
  const std::shared_ptr<const Features> b[] = {shared(features(at::randn({kSide * kSide, 16}), 0)),
                                               shared(features(tokens, 90)),
                                               shared(features(at::randn({kSide * kSide, 16}), 180))};
  for (const char* score : {"inliers", "matches"}) {
    RotationSearchOptions options;
    options.score = score;
    options.match.keypoint_th = 0;
    const RotationSearch found = search_rotations(features(tokens), b, options);
    CHECK(found.best == 1);
    REQUIRE(found.summary.scores.size() == 3);
    CHECK(found.summary.scores[1].rotation_deg == 90);
    CHECK(found.summary.scores[1].num_matches == kSide * kSide);
    CHECK(found.summary.scores[1].num_inliers == kSide * kSide);
    CHECK(found.summary.scores[1].mean_similarity == Approx(1));
    CHECK(found.summary.scores[0].num_inliers < 20);
    CHECK(found.matches.size() == kSide * kSide);
    CHECK(found.geometry.num_inliers == kSide * kSide);
  }
}

TEST_CASE("tokens that are not selectable take no part", "[rotation_search]") {
  at::manual_seed(4);
  const at::Tensor tokens = at::randn({kSide * kSide, 16});
  Features b = features(tokens, 45);
  b.selectable = at::zeros({kSide * kSide}, at::kBool);
  b.selectable.slice(0, 0, 10).fill_(true);
  RotationSearchOptions options;
  options.match.keypoint_th = 0;
  const RotationSearch found = search_rotations(features(tokens), std::vector{shared(b)}, options);
  CHECK(found.matches.n_selected_b == 10);
  CHECK(found.matches.n_b == kSide * kSide);
  CHECK(found.matches.size() == 10);
  for (const std::int32_t i : found.matches.idx_b) CHECK(i < 10);

  b.selectable.fill_(false);
  const RotationSearch none = search_rotations(features(tokens), std::vector{shared(b)}, options);
  CHECK(none.matches.size() == 0);
  CHECK(!none.geometry.b_from_a);
  b.selectable = at::ones({3}, at::kBool);
  CHECK_THROWS_WITH(search_rotations(features(tokens), std::vector{shared(b)}, options),
                    Catch::Contains("3 flags"));
}

TEST_CASE("equal rotations: the first is kept; none at all is an error", "[rotation_search]") {
  at::manual_seed(5);
  const at::Tensor tokens = at::randn({kSide * kSide, 16});
  const std::shared_ptr<const Features> b[] = {shared(features(tokens, 30)), shared(features(tokens, 60))};
  CHECK(search_rotations(features(tokens), b).best == 0);
  CHECK_THROWS_AS(search_rotations(features(tokens), {}), Error);
}
