// SPDX-License-Identifier: Apache-2.0
#include "match/geometry.h"

#include <cmath>
#include <limits>
#include <random>
#include <thread>
#include "catch.h"

#include "base/error.h"

using namespace imatch;

namespace {

const Homography kTruth{{0.9, -0.3, 40, 0.25, 1.1, -30, 1e-4, -5e-5, 1}};

/// Matches under `truth` with Gaussian noise, and a share of them moved anywhere.
Matches matches_under(const Homography& truth, int count, double noise_px, double outliers, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> place(0, 1000), chance(0, 1);
  std::normal_distribution<double> noise(0, 1);
  Matches m;
  m.width_a = m.height_a = m.width_b = m.height_b = 1000;
  for (int k = 0; k < count; ++k) {
    const Point2 a{place(random), place(random)};
    Point2 b = truth(a);
    if (chance(random) < outliers)
      b = {place(random), place(random)};
    else
      b = {b.x + noise_px * noise(random), b.y + noise_px * noise(random)};
    m.points_a.push_back(a);
    m.points_b.push_back(b);
    m.idx_a.push_back(k);
    m.idx_b.push_back(k);
    m.similarity.push_back(1.0f - 0.5f * static_cast<float>(k) / static_cast<float>(count));
  }
  return m;
}

double worst_corner(const Homography& found, const Homography& truth) {
  double worst = 0;
  for (const Point2 p : {Point2{0, 0}, Point2{1000, 0}, Point2{0, 1000}, Point2{1000, 1000}})
    worst = std::max(worst, std::hypot(found(p).x - truth(p).x, found(p).y - truth(p).y));
  return worst;
}

GeometryOptions by(std::string_view method, std::string model = "homography") {
  GeometryOptions options;
  options.model = std::move(model);
  options.method = std::string(method);
  return options;
}

}  // namespace

TEST_CASE("magsac keeps the inliers of a lattice under many outliers") {
  Matches m = matches_under(kTruth, 260, 0, 0.7, 29);
  const auto centre = [](double x) { return 16 * (std::floor(x / 16) + 0.5); };
  for (std::vector<Point2>* points : {&m.points_a, &m.points_b})
    for (Point2& p : *points) p = {centre(p.x), centre(p.y)};
  for (const double px : {8.0, 16.0, 24.0}) {
    INFO(px);
    GeometryOptions ransac = by("cv2_ransac"), magsac = by("usac_magsac");
    ransac.reproj_px = magsac.reproj_px = px;
    const Geometry expected = estimate(m, ransac), found = estimate(m, magsac);
    CHECK(expected.num_inliers > 35);
    CHECK(found.num_inliers >= 0.9 * expected.num_inliers);
  }
}

TEST_CASE("every method finds a homography among outliers") {
  const Matches m = matches_under(kTruth, 400, 0.5, 0.4, 11);
  for (const std::string_view method : kGeometryMethods) {
    INFO(method);
    const Geometry g = estimate(m, by(method));
    REQUIRE(g.b_from_a);
    CHECK(g.method == method);
    CHECK(worst_corner(*g.b_from_a, kTruth) < 3);
    CHECK(g.num_inliers > 230);
    CHECK(g.num_inliers < 260);
    CHECK(*g.mean_reprojection_px < 1);
    CHECK(g.b_from_a->m[8] == 1);
    int flagged = 0;
    for (std::size_t k = 0; k < m.size(); ++k) {
      const Point2 p = (*g.b_from_a)(m.points_a[k]);
      CHECK((std::hypot(p.x - m.points_b[k].x, p.y - m.points_b[k].y) <= 8) == (g.inliers[k] == 1));
      flagged += g.inliers[k];
    }
    CHECK(flagged == g.num_inliers);
  }
}

TEST_CASE("the default method is usac_magsac for a homography and cv2_ransac for a similarity") {
  const Matches m = matches_under({{0.8, -0.6, 10, 0.6, 0.8, 5, 0, 0, 1}}, 100, 0.2, 0.3, 2);
  CHECK(estimate(m).method == "usac_magsac");
  GeometryOptions similarity;
  similarity.model = "similarity";
  const Geometry g = estimate(m, similarity);
  CHECK(g.method == "cv2_ransac");
  REQUIRE(g.b_from_a);
  CHECK(g.b_from_a->m[0] == Approx(0.8).margin(0.002));
  CHECK(g.b_from_a->m[3] == Approx(0.6).margin(0.002));
  CHECK(g.b_from_a->m[1] == Approx(-g.b_from_a->m[3]));
  CHECK((g.b_from_a->m[6] == 0 && g.b_from_a->m[7] == 0 && g.b_from_a->m[8] == 1));
  CHECK_THROWS_WITH(estimate(m, by("usac_fast", "similarity")),
                    "method: 'usac_fast' is not available for the model 'similarity'; expected 'cv2_ransac'");
}

TEST_CASE("every method finds an affine transform among outliers") {
  const Homography truth{{0.9, -0.5, 40, 0.2, 1.2, -30, 0, 0, 1}};  // sheared: no similarity
  const Matches m = matches_under(truth, 400, 0.5, 0.4, 17);
  for (const std::string_view method : kGeometryMethods) {
    INFO(method);
    const Geometry g = estimate(m, by(method, "affine"));
    REQUIRE(g.b_from_a);
    CHECK(worst_corner(*g.b_from_a, truth) < 2);
    CHECK((g.b_from_a->m[6] == 0 && g.b_from_a->m[7] == 0 && g.b_from_a->m[8] == 1));
    CHECK(g.num_inliers > 230);
    CHECK(g.num_inliers < 260);
  }
  GeometryOptions affine;
  affine.model = "affine";
  CHECK(estimate(m, affine).method == "usac_magsac");
}

TEST_CASE("the same input gives the same geometry, also from several threads at once") {
  const Matches m = matches_under(kTruth, 300, 1.5, 0.6, 3);
  for (const std::string_view method : kGeometryMethods) {
    INFO(method);
    const Geometry once = estimate(m, by(method));
    std::vector<Geometry> again(4);
    std::vector<std::thread> threads;
    for (Geometry& g : again) threads.emplace_back([&] { g = estimate(m, by(method)); });
    for (std::thread& thread : threads) thread.join();
    for (const Geometry& g : again) {
      REQUIRE(g.b_from_a.has_value() == once.b_from_a.has_value());
      if (once.b_from_a) CHECK(g.b_from_a->m == once.b_from_a->m);
      CHECK(g.inliers == once.inliers);
    }
  }
}

TEST_CASE("inlier flags follow the caller's order of matches, also for prosac") {
  Matches m = matches_under(kTruth, 200, 0.3, 0.5, 5);
  const Geometry sorted = estimate(m, by("usac_prosac"));
  std::vector<std::size_t> reverse;
  for (std::size_t k = m.size(); k-- > 0;) reverse.push_back(k);
  Matches shuffled = m;
  for (std::size_t k = 0; k < m.size(); ++k) {
    shuffled.points_a[k] = m.points_a[reverse[k]];
    shuffled.points_b[k] = m.points_b[reverse[k]];
    shuffled.similarity[k] = m.similarity[reverse[k]];
  }
  const Geometry rotated = estimate(shuffled, by("usac_prosac"));
  REQUIRE(sorted.b_from_a);
  CHECK(rotated.b_from_a->m == sorted.b_from_a->m);
  for (std::size_t k = 0; k < m.size(); ++k) CHECK(rotated.inliers[k] == sorted.inliers[reverse[k]]);
}

TEST_CASE("too few matches give a valid result without a model") {
  for (int count = 0; count < 4; ++count)
    for (const std::string_view method : kGeometryMethods) {
      const Geometry g = estimate(matches_under(kTruth, count, 0, 0, 1), by(method));
      CHECK_FALSE(g.b_from_a);
      CHECK(g.inliers.size() == static_cast<std::size_t>(count));
      CHECK(g.num_inliers == 0);
      CHECK_FALSE(g.mean_reprojection_px);
    }
  CHECK_FALSE(estimate(matches_under(kTruth, 1, 0, 0, 1), by("cv2_ransac", "similarity")).b_from_a);
  CHECK(estimate(matches_under({}, 2, 0, 0, 1), by("cv2_ransac", "similarity")).b_from_a);
  CHECK_FALSE(estimate(matches_under({}, 2, 0, 0, 1), by("cv2_ransac", "affine")).b_from_a);
  CHECK(estimate(matches_under(kTruth, 4, 0, 0, 1), by("cv2_ransac")).num_inliers == 4);
}

TEST_CASE("degenerate matches neither crash nor give a collapsed model") {
  const auto shape = [](const char* name, int count) {
    Matches m;
    std::mt19937 random(4);
    std::uniform_real_distribution<double> place(0, 1000);
    for (int k = 0; k < count; ++k) {
      const double t = place(random), u = place(random);
      const std::string_view kind = name;
      m.points_a.push_back(kind == "one point" ? Point2{5, 5}
                           : kind == "line"    ? Point2{t, 2 * t}
                                               : Point2{t, u});
      m.points_b.push_back(kind == "one point" ? Point2{9, 9}
                           : kind == "line"    ? Point2{t + 3, t}
                           : kind == "to one"  ? Point2{7, 7}
                           : kind == "to line" ? Point2{t, t}
                                               : Point2{place(random), place(random)});
      m.idx_a.push_back(k);
      m.idx_b.push_back(k);
      m.similarity.push_back(0.5f);
    }
    return m;
  };
  for (const char* name : {"one point", "line", "to one", "to line", "anywhere"})
    for (const int count : {4, 5, 8, 30, 300})
      for (const char* model : {"homography", "affine", "similarity"})
        for (const std::string_view method : kGeometryMethods) {
          if (model == std::string("similarity") && method != "cv2_ransac") continue;
          INFO(name << " " << count << " " << model << " " << method);
          const Geometry g = estimate(shape(name, count), by(method, model));
          if (!g.b_from_a) {
            CHECK(g.num_inliers == 0);
            continue;
          }
          for (const double value : g.b_from_a->m) CHECK(std::isfinite(value));
          CHECK_NOTHROW(g.b_from_a->inverse());
        }
}

TEST_CASE("points that are not finite are refused") {
  Matches m = matches_under(kTruth, 10, 0, 0, 1);
  m.points_b[3].x = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_WITH(estimate(m), Catch::Contains("points_b: point 3"));
}

TEST_CASE("the seed steers the usac methods") {
  const Matches m = matches_under(kTruth, 100, 3, 0.75, 21);
  int different = 0;
  GeometryOptions options = by("usac_fast");
  options.iterations = 5;  // too few to agree on the best model
  const Geometry first = estimate(m, options);
  for (options.seed = 1; options.seed < 10; ++options.seed) {
    const Geometry g = estimate(m, options);
    different += !g.b_from_a || !first.b_from_a || g.b_from_a->m != first.b_from_a->m;
  }
  CHECK(different > 0);
}
