// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

namespace imatch {

/// How long the rest of a job takes, told from the times at which its items were finished.
///
/// The first item often pays for what all of them need (weights, a map, warm caches) or for what the next few
/// share. So the rate is that since the first item; while there are few, it is the geometric mean of the
/// rates with and without the first. Nothing is told before kSettleSeconds: a first estimate that is wrong by
/// a factor of ten helps nobody.
class TimeLeft {
 public:
  /// `items`, fractions included, were finished `time_s` after the beginning. Both only grow.
  void add(double time_s, double items);
  /// Items a second; nothing while that is not known.
  std::optional<double> items_per_s() const;

  static constexpr double kSettleSeconds = 2;
  /// From when on a first item alone tells the rate.
  static constexpr double kLongItemSeconds = 60;

 private:
  double first_time_s_ = 0, first_items_ = 0;
  double time_s_ = 0, items_ = 0;
  int num_steps_ = 0;  ///< Times that `items` grew.
};

}  // namespace imatch
