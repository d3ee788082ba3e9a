// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "base/options.h"
#include "match/geometry.h"
#include "match/matches.h"

namespace imatch {

/// When two pictures count as matched.
struct VerdictOptions {
  std::optional<int> min_inliers = {};
  double max_log10_false_alarms = -8;
  int num_tries = 1;
  using Self = VerdictOptions;
  static constexpr auto fields = std::tuple{
      field("min_inliers", &Self::min_inliers, at_least(1),
            "Inliers that a matched pair has at least, in place of the comparison with chance. Unset: what "
            "chance does not give."),
      field("max_log10_false_alarms", &Self::max_log10_false_alarms, in_range(-1000, 1000),
            "Largest common logarithm of the number of false alarms: how many geometries of this support are "
            "expected among matches that fall anywhere."),
      field(
          "num_tries", &Self::num_tries, at_least(1),
          "Geometries, of as many rotations for example, of which this is the best: so many more chances.")};
};

/// Whether two pictures show the same place, and why.
struct Verdict {
  bool is_matched = false;
  int num_inliers = 0;
  int num_matches = 0;
  int num_squares =
      0;  ///< Squares of two cells that the inliers occupy, in the picture where they are fewer.
  double log10_false_alarms = 0;  ///< 0 and more: as chance gives; every unit less is ten times as rare.
  std::string reason;             ///< One line for people.
};

/// Judges the geometry found from these matches. Not matched is, in this order: no model; fewer than
/// min_inliers inliers, where that is given; inliers on a line; a model that no two photographs of one ground
/// have between them near its inliers (mirrored; lengths changed more than eightfold; one direction stretched
/// more than four times as much as the other). Without min_inliers also a support that chance explains: of n
/// matches that fall anywhere in b, k agree with a model that s of them determine in an expected number of
/// (n - s) C(n, k) C(k, s) p^(k - s) cases, p being the share of b within reproj_px of a point (L. Moisan,
/// P. Moulon, P. Monasse, "Automatic homographic registration of a pair of images, with a contrario
/// elimination of outliers", IPOL 2012). A model of more freedom than a similarity counts a million times as
/// many; but it is also judged by the similarity near it, which two photographs taken straight down have
/// between them, and the smaller number is taken. Where that, times num_tries, is above
/// 10^max_log10_false_alarms, the pair is not matched. Neighbouring tokens see the same things and go astray
/// together, so that k counts the squares of two by two cells that the inliers occupy. What is left of such
/// dependence, and a search over rotations, is why the limit is far below 1: it was chosen on real
/// photographs. Throws Error for a geometry of other matches.
Verdict judge(const Matches& matches, const Geometry& geometry, const VerdictOptions& options = {});

Json to_json(const Verdict& verdict);

}  // namespace imatch
