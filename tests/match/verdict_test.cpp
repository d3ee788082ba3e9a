// SPDX-License-Identifier: Apache-2.0
#include "match/verdict.h"

#include <fmt/format.h>

#include <cmath>
#include <random>
#include "catch.h"

#include "base/error.h"

using namespace imatch;

namespace {

/// Matches between two pictures of 1000 x 1000 px: `right` of them by the transform, the others anywhere.
Matches matches_by(const Homography& b_from_a, int right, int wrong, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> place(0, 1000);
  Matches m;
  m.width_a = m.height_a = m.width_b = m.height_b = 1000;
  for (int k = 0; k < right + wrong; ++k) {
    const Point2 a{place(random), place(random)};
    m.points_a.push_back(a);
    m.points_b.push_back(k < right ? b_from_a(a) : Point2{place(random), place(random)});
    m.idx_a.push_back(k), m.idx_b.push_back(k);
    m.similarity.push_back(1.0f - 0.001f * static_cast<float>(k));
  }
  return m;
}

/// As RANSAC would give it: the model and who agrees with it.
Geometry geometry_of(const Matches& m, const Homography& b_from_a, double reproj_px = 8) {
  Geometry g;
  g.model = "homography";
  g.b_from_a = b_from_a;
  g.reproj_px = reproj_px;
  for (std::size_t k = 0; k < m.size(); ++k) {
    const Point2 p = b_from_a(m.points_a[k]);
    g.inliers.push_back(std::hypot(p.x - m.points_b[k].x, p.y - m.points_b[k].y) <= reproj_px);
    g.num_inliers += g.inliers.back();
  }
  return g;
}

Geometry found_in(const Matches& m) {
  GeometryOptions options;
  options.method = "cv2_ransac";
  options.iterations = 1000;
  return estimate(m, options);
}

Verdict verdict_on(const Homography& b_from_a, int right = 40, int wrong = 40) {
  const Matches m = matches_by(b_from_a, right, wrong, 5);
  return judge(m, geometry_of(m, b_from_a));
}

}  // namespace

TEST_CASE("chance alone is not matched, two fifths of right matches are") {
  int num_matched = 0;
  for (unsigned seed = 0; seed < 40; ++seed) {
    const Matches m = matches_by({}, 0, 85, seed);
    num_matched += judge(m, found_in(m)).is_matched;
  }
  CHECK(num_matched == 0);
  const Homography turn{{0, -1, 1000, 1, 0, 0, 0, 0, 1}};
  const Matches m = matches_by(turn, 34, 51, 3);
  const Verdict verdict = judge(m, found_in(m));
  CHECK(verdict.is_matched);
  CHECK(verdict.num_inliers >= 34);
  CHECK(verdict.reason == fmt::format("{} inliers of 85 matches", verdict.num_inliers));
}

TEST_CASE("the number of false alarms is that of the formula") {
  const Matches m = matches_by({}, 20, 0, 1);
  Geometry g = geometry_of(m, {});
  // Of the similarity near it: (20 - 2) C(20, 20) C(20, 2) (64 pi / 10^6)^18, times ten tries.
  const double of_similarity = std::log10(18.0 * 190) + 18 * std::log10(64 * std::acos(-1.0) / 1e6);
  CHECK(judge(m, g, {.num_tries = 10}).log10_false_alarms == Approx(of_similarity + 1));
  g.model = "similarity";
  CHECK(judge(m, g).log10_false_alarms == Approx(of_similarity));
  // Of a homography that no similarity comes near: a million times (20 - 4) C(20, 20) C(20, 4) p^16.
  const Homography tilted{{1, 0.2, 0, 0, 1.4, 0, 8e-4, 4e-4, 1}};
  const Matches seen = matches_by(tilted, 20, 0, 1);
  CHECK(judge(seen, geometry_of(seen, tilted)).log10_false_alarms ==
        Approx(6 + std::log10(16.0 * 4845) + 16 * std::log10(64 * std::acos(-1.0) / 1e6)));
}

TEST_CASE("models that no two photographs of one ground have between them are refused") {
  CHECK(verdict_on({{0.8, -0.3, 100, 0.3, 0.8, 50, 1e-4, 0, 1}}).is_matched);
  CHECK(verdict_on({{-1, 0, 1000, 0, 1, 0, 0, 0, 1}}).reason == "the model mirrors the picture");
  CHECK(verdict_on({{0.1, 0, 400, 0, 0.1, 400, 0, 0, 1}}).reason ==
        "the model changes lengths by a factor of 0.1");
  CHECK(verdict_on({{1, 0, 0, 0, 0.2, 400, 0, 0, 1}}).reason ==
        "the model stretches one direction 5 times as much as the other");
  Matches m = matches_by({}, 40, 0, 2);
  for (std::size_t k = 0; k < m.size(); ++k)
    m.points_a[k].y = m.points_b[k].y = 0.5 * m.points_a[k].x + 3 * std::sin(static_cast<double>(k));
  CHECK(judge(m, geometry_of(m, {})).reason == "the inliers lie on a line");
}

TEST_CASE("a number of inliers decides in place of chance") {
  const Matches m = matches_by({}, 9, 80, 7);
  const Geometry g = geometry_of(m, {});
  CHECK(judge(m, g, {.min_inliers = 9}).is_matched);
  CHECK(judge(m, g, {.min_inliers = 90}).reason == fmt::format("{} inliers, fewer than 90", g.num_inliers));
  CHECK_FALSE(judge(m, g, {.max_log10_false_alarms = -100}).is_matched);
}

TEST_CASE("no model and no matches are not matched") {
  CHECK(judge({}, estimate({})).reason == "no homography was found");
  const Matches m = matches_by({}, 5, 0, 1);
  CHECK_THROWS_WITH(judge(m, Geometry{}), "verdict: the geometry is of 0 matches, these are 5");
}
