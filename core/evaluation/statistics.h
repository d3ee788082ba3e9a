// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/options.h"

namespace imatch {

/// Mean of the values, summed in their order; NaN without values.
double mean_of(std::span<const double> values);

/// Standard deviation about the mean, dividing by n - 1; 0 of one value, NaN without values.
double deviation_of(std::span<const double> values);

/// The value below which the share q in [0, 1] of the values lies, interpolated linearly between neighbours
/// (Hyndman and Fan, "Sample quantiles in statistical packages", 1996, type 7: NumPy's default). `sorted`
/// ascends and may hold infinities. NaN without values.
double quantile_of_sorted(std::span<const double> sorted, double q);
double quantile_of(std::vector<double> values, double q);
double median_of(std::vector<double> values);

/// Share of the values that are at most `limit`; those that are missing count in `num_all` only. NaN when
/// that is 0.
double share_within(std::span<const double> values, double limit, std::size_t num_all);

/// Area under the cumulative curve "share of errors <= t" for t from 0 to `limit`, divided by `limit`: in
/// [0, 1]. The curve joins the sorted errors by straight lines, as SuperGlue, LoFTR and hloc have it.
/// `sorted` ascends, errors >= 0, infinite for a failure. 0 without errors.
double area_under_curve(std::span<const double> sorted, double limit);

enum class Better { kLower, kHigher };

/// How many values become one number. Values that are missing (failed cells, NaN, infinity) have no place in
/// the mean; for every other statistic they are worse than all others.
class Statistic {
 public:
  /// "mean", "median", "quantile@q" (q in [0, 1]), "share@t" (of values at most t; at least t where higher
  /// is better) and "auc@t" (area_under_curve up to t > 0; of errors). Throws Error naming what is allowed.
  static Statistic parse(std::string_view text);

  const std::string& text() const { return text_; }
  /// Of ascending values, of which the missing ones are infinite (absent for the mean). `of_values` says
  /// which values are better. Throws Error for an area under values of which the higher are better, or below
  /// 0.
  double of_sorted(std::span<const double> sorted, Better of_values) const;
  /// Shares and areas are better when higher, everything else as the values themselves.
  Better better(Better of_values) const;
  bool is_mean() const { return kind_ == Kind::kMean; }

 private:
  enum class Kind { kMean, kQuantile, kShare, kArea };
  Kind kind_ = Kind::kMean;
  double parameter_ = 0;
  std::string text_ = "mean";
};

/// How a statistic is told from noise.
struct BootstrapOptions {
  double level = 0.95;
  int num_resamples = 2000;
  std::int64_t seed = 0;

  static constexpr auto fields = std::tuple{
      field("level", &BootstrapOptions::level, in_range(0.0, 1.0), "Share of the resamples inside."),
      field("num_resamples", &BootstrapOptions::num_resamples, in_range(1, 1'000'000),
            "How often the units are drawn anew."),
      field("seed", &BootstrapOptions::seed, anything(), "Of the draws.")};
};

struct Interval {
  double low = std::numeric_limits<double>::quiet_NaN();
  double high = std::numeric_limits<double>::quiet_NaN();
};

/// 95 % interval of a share of `n` independent trials (E. B. Wilson, "Probable inference, the law of
/// succession, and statistical inference", 1927). NaN without trials.
Interval wilson_interval(double share, std::size_t n);

/// A statistic and its bootstrap interval; NaN where there is none.
struct Estimate {
  double value = std::numeric_limits<double>::quiet_NaN();
  Interval interval;
};

/// null for what JSON cannot hold.
Json finite_json(double value);
/// {value, low, high}.
Json to_json(const Estimate& estimate);

/// Percentile bootstrap of a statistic (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter
/// 13): units are drawn with replacement, as many as there are, each with all its values, since values of one
/// unit (the headings at one place) do not vary independently. `units` says to which unit each value belongs.
/// NaN without values; quantiles are interpolated linearly. Throws Error for another number of units.
Interval bootstrap(std::span<const double> values, std::span<const std::size_t> units,
                   const Statistic& statistic, Better of_values, const BootstrapOptions& options = {});

/// The statistic of b minus that of a, with its bootstrap interval: pairs (a[i], b[i]) are drawn together,
/// unit by unit. Throws Error for lists of different length.
Estimate paired_difference(std::span<const double> a, std::span<const double> b,
                           std::span<const std::size_t> units, const Statistic& statistic, Better of_values,
                           const BootstrapOptions& options = {});

}  // namespace imatch
