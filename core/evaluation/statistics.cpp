// SPDX-License-Identifier: Apache-2.0
#include "evaluation/statistics.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>
#include <unordered_map>

#include "base/error.h"
#include "base/stop.h"

namespace imatch {
namespace {

constexpr double kNoValue = std::numeric_limits<double>::quiet_NaN();

/// SplitMix64 (Steele, Lea and Flood, 2014): the same draws on every machine.
class UnitDraw {
 public:
  UnitDraw(std::int64_t seed, std::size_t num_units)
      : state_(static_cast<std::uint64_t>(seed)), num_units_(num_units) {}
  std::size_t operator()() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    z ^= z >> 31;
    return ((z >> 32) * num_units_) >> 32;
  }

 private:
  std::uint64_t state_;
  std::uint64_t num_units_;
};

/// Units numbered from 0 in the order of their first value.
std::vector<std::size_t> numbered(std::span<const std::size_t> units, std::size_t& num_units) {
  std::unordered_map<std::size_t, std::size_t> numbers;
  std::vector<std::size_t> list;
  for (const std::size_t unit : units) list.push_back(numbers.emplace(unit, numbers.size()).first->second);
  num_units = numbers.size();
  return list;
}

/// Means of resamples; a sum for each unit is all they take.
std::vector<double> resampled_means(std::span<const double> values, std::span<const std::size_t> unit_of,
                                    std::size_t num_units, const BootstrapOptions& options) {
  struct Sum {
    double sum = 0, count = 0;
  };
  std::vector<Sum> sums(num_units);
  for (std::size_t i = 0; i < values.size(); ++i)
    sums[unit_of[i]].sum += values[i], sums[unit_of[i]].count += 1;
  UnitDraw draw(options.seed, num_units);
  std::vector<double> means(static_cast<std::size_t>(options.num_resamples));
  for (double& mean : means) {
    check_stop();
    Sum all;
    for (std::size_t i = 0; i < num_units; ++i) {
      const Sum& unit = sums[draw()];
      all.sum += unit.sum, all.count += unit.count;
    }
    mean = all.sum / all.count;
  }
  return means;
}

/// Values sorted once; a resample repeats each as often as its unit was drawn.
class SortedSample {
 public:
  SortedSample(std::span<const double> values, std::span<const std::size_t> unit_of) {
    std::vector<std::size_t> order(values.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
    for (const std::size_t i : order) values_.push_back(values[i]), units_.push_back(unit_of[i]);
  }
  double of(const Statistic& statistic, Better of_values, const std::vector<int>& times_drawn) {
    resample_.clear();
    for (std::size_t i = 0; i < values_.size(); ++i)
      resample_.insert(resample_.end(), static_cast<std::size_t>(times_drawn[units_[i]]), values_[i]);
    return statistic.of_sorted(resample_, of_values);
  }

 private:
  std::vector<double> values_, resample_;
  std::vector<std::size_t> units_;
};

/// What `of(times each unit was drawn)` is over resamples.
template <class Of>
std::vector<double> resampled(std::size_t num_units, const BootstrapOptions& options, Of&& of) {
  UnitDraw draw(options.seed, num_units);
  std::vector<double> results(static_cast<std::size_t>(options.num_resamples));
  std::vector<int> times(num_units);
  for (double& result : results) {
    check_stop();
    std::fill(times.begin(), times.end(), 0);
    for (std::size_t i = 0; i < num_units; ++i) ++times[draw()];
    result = of(times);
  }
  return results;
}

Interval interval_of(std::vector<double> statistics, double level) {
  const auto is_nan = [](double x) { return std::isnan(x); };  // infinity less infinity
  if (std::any_of(statistics.begin(), statistics.end(), is_nan)) return {};
  std::sort(statistics.begin(), statistics.end());
  return {quantile_of_sorted(statistics, (1 - level) / 2), quantile_of_sorted(statistics, (1 + level) / 2)};
}

void require_units(std::span<const std::size_t> units, std::span<const double> values) {
  if (units.size() != values.size())
    throw Error(fmt::format("bootstrap: {} units for {} values", units.size(), values.size()));
}

}  // namespace

double mean_of(std::span<const double> values) {
  if (values.empty()) return kNoValue;
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double deviation_of(std::span<const double> values) {
  if (values.empty()) return kNoValue;
  const double mean = mean_of(values);
  double squares = 0;
  for (const double x : values) squares += (x - mean) * (x - mean);
  return values.size() > 1 ? std::sqrt(squares / (static_cast<double>(values.size()) - 1)) : 0;
}

double quantile_of_sorted(std::span<const double> sorted, double q) {
  if (sorted.empty()) return kNoValue;
  const double place = (static_cast<double>(sorted.size()) - 1) * q;
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  const double rest = place - static_cast<double>(below);
  if (rest == 0 || sorted[below] == sorted[above]) return sorted[below];  // also of infinities
  return sorted[below] + (sorted[above] - sorted[below]) * rest;
}

double quantile_of(std::vector<double> values, double q) {
  std::sort(values.begin(), values.end());
  return quantile_of_sorted(values, q);
}

double median_of(std::vector<double> values) {
  return quantile_of(std::move(values), 0.5);
}

double share_within(std::span<const double> values, double limit, std::size_t num_all) {
  if (num_all == 0) return kNoValue;
  const auto count = std::count_if(values.begin(), values.end(), [&](double x) { return x <= limit; });
  return static_cast<double>(count) / static_cast<double>(num_all);
}

Interval wilson_interval(double share, std::size_t n) {
  if (n == 0) return {};
  constexpr double z = 1.959963984540054;  // of 95 %
  const double trials = static_cast<double>(n), spread = z * z / trials;
  const double centre = (share + spread / 2) / (1 + spread);
  const double half = z * std::sqrt(share * (1 - share) / trials + spread / (4 * trials)) / (1 + spread);
  return {std::max(0.0, centre - half), std::min(1.0, centre + half)};
}

double area_under_curve(std::span<const double> sorted, double limit) {
  double area = 0, last_error = 0, last_share = 0;
  for (std::size_t k = 0; k < sorted.size() && sorted[k] < limit; ++k) {
    const double share = static_cast<double>(k + 1) / static_cast<double>(sorted.size());
    area += (sorted[k] - last_error) * (last_share + share) / 2;
    last_error = sorted[k];
    last_share = share;
  }
  return (area + (limit - last_error) * last_share) / limit;
}

Statistic Statistic::parse(std::string_view text) {
  const auto refuse = [&]() -> Statistic {
    throw Error(
        fmt::format("statistic: '{}' is not allowed; expected 'mean', 'median', 'quantile@Q' with Q "
                    "in [0, 1], 'share@LIMIT' or 'auc@LIMIT' with LIMIT > 0",
                    text));
  };
  Statistic statistic;
  statistic.text_ = text;
  if (text == "mean") return statistic;
  if (text == "median") {
    statistic.kind_ = Kind::kQuantile;
    statistic.parameter_ = 0.5;
    return statistic;
  }
  const std::size_t at = text.find('@');
  if (at == std::string_view::npos) return refuse();
  const std::string_view name = text.substr(0, at), number = text.substr(at + 1);
  double& parameter = statistic.parameter_;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), parameter);
  if (error != std::errc() || end != number.data() + number.size() || !std::isfinite(parameter))
    return refuse();
  if (name == "quantile" && parameter >= 0 && parameter <= 1)
    statistic.kind_ = Kind::kQuantile;
  else if (name == "share")
    statistic.kind_ = Kind::kShare;
  else if (name == "auc" && parameter > 0)
    statistic.kind_ = Kind::kArea;
  else
    return refuse();
  return statistic;
}

double Statistic::of_sorted(std::span<const double> sorted, Better of_values) const {
  switch (kind_) {
    case Kind::kMean:
      return mean_of(sorted);
    case Kind::kQuantile:
      return quantile_of_sorted(sorted, parameter_);
    case Kind::kShare: {
      if (of_values == Better::kLower) return share_within(sorted, parameter_, sorted.size());
      if (sorted.empty()) return kNoValue;
      const auto first = std::lower_bound(sorted.begin(), sorted.end(), parameter_);
      return static_cast<double>(sorted.end() - first) / static_cast<double>(sorted.size());
    }
    case Kind::kArea:
      break;
  }
  if (of_values == Better::kHigher)
    throw Error(fmt::format("statistic: '{}' is of errors; expected the direction 'min'", text_));
  if (!sorted.empty() && sorted.front() < 0)
    throw Error(
        fmt::format("statistic: '{}' is of errors >= 0; {} is among the values", text_, sorted.front()));
  return sorted.empty() ? kNoValue : area_under_curve(sorted, parameter_);
}

Better Statistic::better(Better of_values) const {
  return kind_ == Kind::kShare || kind_ == Kind::kArea ? Better::kHigher : of_values;
}

Interval bootstrap(std::span<const double> values, std::span<const std::size_t> units,
                   const Statistic& statistic, Better of_values, const BootstrapOptions& options) {
  require_units(units, values);
  if (values.empty()) return {};
  std::size_t num_units = 0;
  const std::vector<std::size_t> unit_of = numbered(units, num_units);
  if (statistic.is_mean())
    return interval_of(resampled_means(values, unit_of, num_units, options), options.level);
  SortedSample sample(values, unit_of);
  return interval_of(resampled(num_units, options,
                               [&](const auto& times) { return sample.of(statistic, of_values, times); }),
                     options.level);
}

Estimate paired_difference(std::span<const double> a, std::span<const double> b,
                           std::span<const std::size_t> units, const Statistic& statistic, Better of_values,
                           const BootstrapOptions& options) {
  if (a.size() != b.size())
    throw Error(fmt::format("difference: {} values and {}; expected as many", a.size(), b.size()));
  require_units(units, a);
  if (a.empty()) return {kNoValue, {}};
  std::size_t num_units = 0;
  const std::vector<std::size_t> unit_of = numbered(units, num_units);
  if (statistic.is_mean()) {
    std::vector<double> differences;
    for (std::size_t i = 0; i < a.size(); ++i) differences.push_back(b[i] - a[i]);
    return {mean_of(differences), bootstrap(differences, units, statistic, of_values, options)};
  }
  SortedSample of_a(a, unit_of), of_b(b, unit_of);
  const auto difference = [&](const std::vector<int>& times) {
    return of_b.of(statistic, of_values, times) - of_a.of(statistic, of_values, times);
  };
  return {difference(std::vector<int>(num_units, 1)),
          interval_of(resampled(num_units, options, difference), options.level)};
}

Json finite_json(double value) {
  return std::isfinite(value) ? Json(value) : Json(nullptr);
}

Json to_json(const Estimate& estimate) {
  return {{"value", finite_json(estimate.value)},
          {"low", finite_json(estimate.interval.low)},
          {"high", finite_json(estimate.interval.high)}};
}

}  // namespace imatch
