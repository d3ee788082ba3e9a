// SPDX-License-Identifier: Apache-2.0
#include "match/verdict.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <set>
#include <utility>

#include "base/error.h"

namespace imatch {
namespace {

/// What no two photographs of one ground have between them.
constexpr double kMostScale = 8;    // of a length
constexpr double kMostStretch = 4;  // of one direction against the other
constexpr double kLeastSpread =
    0.05;  // across the inliers' main direction, as a share of the spread along it

/// By how much (log10) a model of more freedom than a similarity counts as likelier to be found by chance:
/// RANSAC bends it to matches that go astray together. Chosen on real photographs under a search over
/// rotations (tests/peers/test_match_verdict.py).
constexpr double kFreedomLog10 = 6;

/// Side in cells of the squares of which each counts once: neighbouring tokens see the same things.
constexpr double kSquareCells = 2;

int squares(const std::vector<Point2>& points, const std::vector<std::uint8_t>& inliers, double cell_px) {
  const double side = std::max(kSquareCells * cell_px, 1e-6);
  std::set<std::pair<std::int64_t, std::int64_t>> taken;
  for (std::size_t k = 0; k < points.size(); ++k)
    if (inliers[k])
      taken.emplace(static_cast<std::int64_t>(std::floor(points[k].x / side)),
                    static_cast<std::int64_t>(std::floor(points[k].y / side)));
  return static_cast<int>(taken.size());
}

double log10_choose(int n, int k) {
  return (std::lgamma(n + 1.0) - std::lgamma(k + 1.0) - std::lgamma(n - k + 1.0)) / std::numbers::ln10;
}

double log10_false_alarms(int n, int k, int sample, double share) {
  if (k <= sample) return std::log10(std::max(n - sample, 1)) + log10_choose(n, std::min(n, sample));
  return std::log10(n - sample) + log10_choose(n, k) + log10_choose(k, sample) +
         (k - sample) * std::log10(share);
}

/// By how far chance explains those who agree with a model that `sample` matches determine.
double log10_false_alarms_of(const Matches& matches, const std::vector<std::uint8_t>& agree, int sample,
                             double share) {
  const auto num_agree = static_cast<int>(std::count(agree.begin(), agree.end(), std::uint8_t{1}));
  const int num_squares = std::min(squares(matches.points_a, agree, matches.cell_a_px),
                                   squares(matches.points_b, agree, matches.cell_b_px));
  return log10_false_alarms(static_cast<int>(matches.size()) - num_agree + num_squares, num_squares, sample,
                            share);
}

/// The similarity through the matches that agree, by least squares: {a, b, x0, y0} of
/// (ax - by + x0, bx + ay + y0).
std::array<double, 4> similarity_through(const Matches& matches, const std::vector<std::uint8_t>& agree) {
  double n = 0;
  Point2 p, q;
  for (std::size_t k = 0; k < agree.size(); ++k)
    if (agree[k]) {
      n += 1;
      p.x += matches.points_a[k].x, p.y += matches.points_a[k].y;
      q.x += matches.points_b[k].x, q.y += matches.points_b[k].y;
    }
  p.x /= n, p.y /= n, q.x /= n, q.y /= n;
  double a = 0, b = 0, norm = 0;
  for (std::size_t k = 0; k < agree.size(); ++k)
    if (agree[k]) {
      const double x = matches.points_a[k].x - p.x, y = matches.points_a[k].y - p.y;
      const double u = matches.points_b[k].x - q.x, v = matches.points_b[k].y - q.y;
      a += x * u + y * v, b += x * v - y * u, norm += x * x + y * y;
    }
  if (norm > 0) a /= norm, b /= norm;
  return {a, b, q.x - a * p.x + b * p.y, q.y - b * p.x - a * p.y};
}

/// Who agrees with the similarity that is near the model found, refitted until nothing changes.
std::vector<std::uint8_t> agreeing_with_similarity(const Matches& matches, const Geometry& geometry) {
  constexpr int kRounds = 10, kFewest = 3;
  std::vector<std::uint8_t> agree = geometry.inliers;
  for (int round = 0; round < kRounds; ++round) {
    if (std::count(agree.begin(), agree.end(), std::uint8_t{1}) < kFewest) break;
    const auto [a, b, x0, y0] = similarity_through(matches, agree);
    std::vector<std::uint8_t> now(agree.size());
    for (std::size_t k = 0; k < now.size(); ++k) {
      const Point2 &p = matches.points_a[k], &q = matches.points_b[k];
      now[k] = std::hypot(a * p.x - b * p.y + x0 - q.x, b * p.x + a * p.y + y0 - q.y) <= geometry.reproj_px;
    }
    if (now == agree) break;
    agree = std::move(now);
  }
  return agree;
}

/// Standard deviations of points along their main direction and across it.
std::array<double, 2> spread(const std::vector<Point2>& points, const std::vector<std::uint8_t>& inliers) {
  double n = 0, x = 0, y = 0, xx = 0, xy = 0, yy = 0;
  for (std::size_t k = 0; k < points.size(); ++k)
    if (inliers[k]) n += 1, x += points[k].x, y += points[k].y;
  for (std::size_t k = 0; k < points.size(); ++k)
    if (inliers[k]) {
      const double dx = points[k].x - x / n, dy = points[k].y - y / n;
      xx += dx * dx / n, xy += dx * dy / n, yy += dy * dy / n;
    }
  const double mean = (xx + yy) / 2, half = std::hypot((xx - yy) / 2, xy);
  return {std::sqrt(mean + half), std::sqrt(std::max(0.0, mean - half))};
}

/// What is wrong with the model near its inliers; empty: nothing.
std::string distortion(const Matches& matches, const Geometry& geometry) {
  const auto& m = geometry.b_from_a->m;
  for (std::size_t k = 0; k < matches.size(); ++k) {
    if (!geometry.inliers[k]) continue;
    // The derivative at the inlier: its singular values are by how much lengths change.
    const Point2 p = matches.points_a[k], q = (*geometry.b_from_a)(p);
    const double w = geometry.b_from_a->depth(p);
    const double xx = (m[0] - q.x * m[6]) / w, xy = (m[1] - q.x * m[7]) / w;
    const double yx = (m[3] - q.y * m[6]) / w, yy = (m[4] - q.y * m[7]) / w;
    const double determinant = xx * yy - xy * yx;
    if (determinant <= 0) return "the model mirrors the picture";
    const double sum = std::hypot(xx + yy, yx - xy), difference = std::hypot(xx - yy, yx + xy);
    const double most = (sum + difference) / 2, least = (sum - difference) / 2;
    if (most > kMostScale || least < 1 / kMostScale)
      return fmt::format("the model changes lengths by a factor of {:.3g}", most > kMostScale ? most : least);
    if (most > kMostStretch * least)
      return fmt::format("the model stretches one direction {:.3g} times as much as the other", most / least);
  }
  return "";
}

}  // namespace

Verdict judge(const Matches& matches, const Geometry& geometry, const VerdictOptions& options) {
  if (geometry.inliers.size() != matches.size())
    throw Error(fmt::format("verdict: the geometry is of {} matches, these are {}", geometry.inliers.size(),
                            matches.size()));
  Verdict verdict;
  verdict.num_inliers = geometry.num_inliers;
  verdict.num_matches = static_cast<int>(matches.size());

  const double area = std::max(1.0, static_cast<double>(matches.width_b) * matches.height_b);
  const double share = std::min(1.0, std::numbers::pi * geometry.reproj_px * geometry.reproj_px / area);
  verdict.num_squares = std::min(squares(matches.points_a, geometry.inliers, matches.cell_a_px),
                                 squares(matches.points_b, geometry.inliers, matches.cell_b_px));
  const int sample = sample_size(geometry.model), of_similarity = sample_size("similarity");
  verdict.log10_false_alarms = log10_false_alarms_of(matches, geometry.inliers, sample, share);
  if (sample > of_similarity && geometry.num_inliers > 0)
    verdict.log10_false_alarms = std::min(
        verdict.log10_false_alarms + kFreedomLog10,
        log10_false_alarms_of(matches, agreeing_with_similarity(matches, geometry), of_similarity, share));
  verdict.log10_false_alarms += std::log10(options.num_tries);
  const auto refuse = [&](std::string reason) {
    verdict.reason = std::move(reason);
    return verdict;
  };
  if (!geometry.b_from_a) return refuse(fmt::format("no {} was found", geometry.model));
  if (options.min_inliers && geometry.num_inliers < *options.min_inliers)
    return refuse(fmt::format("{} inliers, fewer than {}", geometry.num_inliers, *options.min_inliers));
  for (const auto* points : {&matches.points_a, &matches.points_b}) {
    const auto [along, across] = spread(*points, geometry.inliers);
    if (across < kLeastSpread * along) return refuse("the inliers lie on a line");
  }
  if (std::string wrong = distortion(matches, geometry); !wrong.empty()) return refuse(std::move(wrong));
  if (!options.min_inliers && verdict.log10_false_alarms > options.max_log10_false_alarms)
    return refuse(
        fmt::format("{} inliers of {} matches: chance gives as many", geometry.num_inliers, matches.size()));
  verdict.is_matched = true;
  verdict.reason = fmt::format("{} inliers of {} matches", geometry.num_inliers, matches.size());
  return verdict;
}

Json to_json(const Verdict& v) {
  return {{"matched", v.is_matched},
          {"num_inliers", v.num_inliers},
          {"num_matches", v.num_matches},
          {"num_squares", v.num_squares},
          {"log10_false_alarms", v.log10_false_alarms},
          {"reason", v.reason}};
}

}  // namespace imatch
