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
  verdict.log10_false_alarms =
      log10_false_alarms(verdict.num_matches - verdict.num_inliers + verdict.num_squares, verdict.num_squares,
                         sample_size(geometry.model), share) +
      std::log10(options.num_tries);
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
